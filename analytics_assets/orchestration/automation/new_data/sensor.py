"""The new-data sensor: fetches the API's newest changes, and requests one run for them."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.automation.new_data.changes import Moved, Refusal
from analytics_assets.orchestration.automation.new_data.endpoints import NEXT, Endpoints
from analytics_assets.orchestration.automation.new_data.requested_runs import (
    INTERVAL,
    NEWEST_TAG,
    RequestedRuns,
    change_name,
)
from analytics_assets.orchestration.automation.words import names_of, state_of
from analytics_assets.orchestration.compat import (
    define_job_of_any_partitions,
    history_kept_open,
)
from analytics_assets.orchestration.keys import asset_key, load_health_key
from analytics_assets.orchestration.partitions.definition import due_windows
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, run_tags
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.redaction.redactor import redact

HANDED_OVER = ".handed_over"  # in the cursor: a tick with runs and with an endpoint that refused
MOST_REASONS = 20  # that a tick shows; its log has all


class EndpointRefusedError(AnalyticsAssetsError):
    """Endpoints refuse to say what is new, which somebody must correct."""


def build_new_data_sensors(
    api: Api,
    resources: Mapping[str, Resource],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[dg.SensorDefinition]:
    """Build the sensor that requests a load of all resources with new data.

    Its cursor holds, per resource, the newest change that a load has brought. It advances once the
    run that the sensor requested has loaded it. A failed load is requested again, after a pause
    that doubles with each failure. For a partitioned resource, each window of the partitions that
    are due has its own place in the cursor; resources with the same window share a run.

    Args:
        api: the API.
        resources: its resources by name.
        clock: returns the moment at which partitions are due.

    Returns:
        The sensor, and a second one if some resources want it on from the start and others do not;
        none if nothing can be watched. Resources whose policy has no `newest`, or that are read
        from the rows of another, have their schedule alone.
    """
    groups: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources.values():
        # a child would need one request per row of its parent
        if resource.policy.newest and not resource.is_child:
            groups[resource.policy.automation].append(resource)
    usual = api.default_policy.get("automation", Policy.automation)
    sensors = list[dg.SensorDefinition]()
    for automation in sorted(groups, key=lambda automation: automation != usual):
        name = f"{api.name}_new_data{'_2' if sensors else ''}"
        sensors.append(_build_sensor(api, name, groups[automation], automation == "on", clock))
    return sensors


def _build_sensor(
    api: Api,
    name: str,
    watched: Sequence[Resource],
    is_on: bool,
    clock: Callable[[], datetime],
) -> dg.SensorDefinition:
    names = names_of(watched)
    keys = [*map(asset_key, watched), load_health_key(api.name)]
    endpoints, runs = Endpoints(api), RequestedRuns(name, api.name)

    @dg.sensor(
        name=name,
        job=define_job_of_any_partitions(
            name,
            dg.AssetSelection.assets(*keys),
            f"Loads those of {names} with new data, runs the checks, and records the loads.",
        ),
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED,
        description=(
            f"Asks the API every 5 minutes for the newest change of {names}, and loads those "
            f"with new data in one run. {state_of(is_on)}"
        ),
    )
    @errors_redacted()
    def new_data(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        stored: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        now = clock()
        due = [(resource, _windows(resource, now)) for resource in watched]
        windows = [(resource, window) for resource, each in due for window in each]
        with history_kept_open(context.instance):
            runs.update(context.instance)
            cursor = runs.cursor((change_name(*each) for each in windows), stored)
            in_turn = endpoints.in_turn(windows, stored.get(NEXT))
            outcomes = endpoints.ask(context.instance, in_turn, cursor, runs)
        moved, refused = list[Moved](), list[str]()
        reasons = [f"{each.name}: there is no partition yet." for each, found in due if not found]
        for outcome in outcomes:
            if isinstance(outcome, Moved):
                moved.append(outcome)
            else:
                (refused if isinstance(outcome, Refusal) else reasons).append(redact(outcome))
        for reason in reasons:
            context.log.info(reason)
        for reason in refused:
            context.log.error(reason)
        has_progress = bool(moved) or NEXT in cursor
        if refused and (not has_progress or _has_just_handed_over(stored)):
            # Dagster 1.13 drops the run requests, and the cursor, of a tick that fails
            raise EndpointRefusedError("\n".join(_first(refused)))
        if refused:
            cursor[HANDED_OVER] = datetime.now(UTC).isoformat()
        requests = list(_run_requests(api, name, moved, now))
        for each in moved:
            context.log.info(f"{each.name}: new data of {each.newest.isoformat()}; a run loads it.")
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else " ".join(_first([*refused, *reasons])),
            cursor=json.dumps(cursor),
        )

    return new_data


def _first(reasons: Sequence[str]) -> list[str]:
    """Return the first reasons, and a sentence with the number of the others."""
    more = len(reasons) - MOST_REASONS
    rest = [f"The log of this tick has {more} more."] if more > 0 else []
    return [*reasons[:MOST_REASONS], *rest]


def _windows(resource: Resource, now: datetime) -> list[tuple[str, ...]]:
    """Return the partitions of each run that would load what is due; one without, for a table."""
    load = resource.policy.load
    return [*map(tuple, due_windows(load, now))] if isinstance(load, Partitioned) else [()]


def _has_just_handed_over(stored: Mapping[str, str]) -> bool:
    """Return True if the tick before has requested runs, or left some, although one refused.

    Such ticks and failed ones take turns, so that neither the runs nor the refusals are lost.
    """
    moment = stored.get(HANDED_OVER)
    return bool(moment) and datetime.now(UTC) - datetime.fromisoformat(str(moment)) < 2 * INTERVAL


def _run_requests(
    api: Api, sensor: str, moved: Sequence[Moved], now: datetime
) -> Iterator[dg.RunRequest]:
    """Yield a run for all resources without partitions, and one for each window of the others."""
    together: dict[tuple[str, ...], list[Moved]] = defaultdict(list)
    for each in moved:
        together[each.window].append(each)
    for window, group in together.items():
        newest = json.dumps({each.name: each.newest.isoformat() for each in group})
        keys = [asset_key(each.resource) for each in group]
        # Dagster requests no second run with a key, and failures are forgotten after some days
        attempt = f"{newest} {[each.failed for each in group]} {now.date()}"
        yield dg.RunRequest(
            run_key=hashlib.sha256(attempt.encode()).hexdigest()[:16],
            asset_selection=[*keys, load_health_key(api.name)],
            tags={**run_tags(sensor, keys, window), NEWEST_TAG: newest, **BEFORE_BACKFILLS},
        )
