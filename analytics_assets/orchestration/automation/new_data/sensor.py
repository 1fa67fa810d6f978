"""The new-data sensor: fetches the API's newest changes, and requests one run for them."""

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.orchestration.assets.observation import report_reachable
from analytics_assets.orchestration.automation.new_data.changes import (
    Refusal,
    concerns_all,
    newest_change,
    newest_in_table,
    reason_of,
)
from analytics_assets.orchestration.automation.new_data.requested_runs import (
    INTERVAL,
    NEWEST_TAG,
    RequestedRuns,
    change_name,
    retry_at,
)
from analytics_assets.orchestration.automation.words import names_of, state_of
from analytics_assets.orchestration.compat import define_job_of_any_partitions
from analytics_assets.orchestration.keys import asset_key, load_health_key
from analytics_assets.orchestration.partitions.definition import due_windows
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, run_tags
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.redaction.redactor import redact

SENSOR = "The new-data sensor"
ASKED_WITHIN = (
    25.0  # seconds of a tick; with the last request it may be 55, and Dagster gives it 60
)
NEXT = ".next"  # in the cursor: the endpoint with which the next tick begins
HANDED_OVER = ".handed_over"  # in the cursor: a tick with runs and with an endpoint that refused


class EndpointRefusedError(AnalyticsAssetsError):
    """Endpoints refuse to say what is new, which somebody must correct."""


class Moved(NamedTuple):
    """A change that is to be loaded.

    Args:
        resource: the resource.
        window: its partitions; empty if it has none.
        newest: the moment of the change.
        failures: the number of runs for it that have failed.
    """

    resource: Resource
    window: tuple[str, ...]
    newest: datetime
    failures: int

    @property
    def name(self) -> str:
        """The name of the change in the cursor, in logs and in tags."""
        return change_name(self.resource, self.window)


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
        runs = RequestedRuns(context.instance, name, api.name)
        now = clock()
        due = [(resource, _windows(resource, now)) for resource in watched]
        windows = [(resource, window) for resource, each in due for window in each]
        cursor = runs.cursor((change_name(*each) for each in windows), stored)
        moved, refused = list[Moved](), list[str]()
        reasons = [f"{each.name}: there is no partition yet." for each, found in due if not found]
        in_turn = _from(stored.get(NEXT), windows)
        for outcome in _outcomes(context.instance, api, in_turn, cursor, runs):
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
            raise EndpointRefusedError("\n".join(refused))
        if refused:
            cursor[HANDED_OVER] = datetime.now(UTC).isoformat()
        requests = list(_run_requests(api, name, moved))
        for each in moved:
            context.log.info(f"{each.name}: new data of {each.newest.isoformat()}; a run loads it.")
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else " ".join([*refused, *reasons]),
            cursor=json.dumps(cursor),
        )

    return new_data


def _windows(resource: Resource, now: datetime) -> list[tuple[str, ...]]:
    """Return the partitions of each run that would load what is due; one without, for a table."""
    load = resource.policy.load
    return [*map(tuple, due_windows(load, now))] if isinstance(load, Partitioned) else [()]


def _from(
    name: str | None, windows: Sequence[tuple[Resource, tuple[str, ...]]]
) -> Sequence[tuple[Resource, tuple[str, ...]]]:
    """Return the changes to ask for, beginning with one; as they are if that is none of them."""
    first = next((place for place, each in enumerate(windows) if change_name(*each) == name), 0)
    return [*windows[first:], *windows[:first]]


def _has_just_handed_over(stored: Mapping[str, str]) -> bool:
    """Return True if the tick before has requested runs, or left some, although one refused.

    Such ticks and failed ones take turns, so that neither the runs nor the refusals are lost.
    """
    moment = stored.get(HANDED_OVER)
    return bool(moment) and datetime.now(UTC) - datetime.fromisoformat(str(moment)) < 2 * INTERVAL


def _outcomes(
    instance: dg.DagsterInstance,
    api: Api,
    windows: Sequence[tuple[Resource, tuple[str, ...]]],
    cursor: dict[str, str],
    runs: RequestedRuns,
) -> Iterator[Moved | Refusal | str]:
    """Yield what is to be loaded, what refuses, and the reasons why the others are not loaded.

    The endpoints for which there is no time are the first ones of the next tick.
    """
    until = time.monotonic() + ASKED_WITHIN
    try:
        with closing(connect(api.config["client"], api.name, single_attempt())) as connection:
            for place, (resource, window) in enumerate(windows):
                if time.monotonic() > until:
                    cursor[NEXT] = change_name(resource, window)
                    yield f"{len(windows) - place} more are asked at the next tick."
                    return
                try:
                    yield _evaluate(instance, resource, window, cursor, runs, connection)
                    report_reachable(instance, resource, SENSOR)
                except Exception as error:
                    reason = reason_of(error, change_name(resource, window))
                    if isinstance(reason, Refusal) and not concerns_all(error):
                        report_reachable(instance, resource, SENSOR, reason)
                    yield reason
                    if concerns_all(error):
                        return
    except AnalyticsAssetsError as error:  # of a setting, before any request
        yield reason_of(error, api.name)


def _evaluate(
    instance: dg.DagsterInstance,
    resource: Resource,
    window: tuple[str, ...],
    cursor: Mapping[str, str],
    runs: RequestedRuns,
    connection: Connection,
) -> Moved | str:
    """Return the change that a window of a resource has, or the reason that none is loaded."""
    name = change_name(resource, window)
    newest = newest_change(resource, window, connection)
    if newest is None:
        return f"{name}: the API has no rows."
    in_table = newest_in_table(instance, resource, window)
    if in_table and newest < in_table and not window:
        return (
            f"{name}: the API's newest change is of {newest.isoformat()}, but the table holds "
            f"one of {in_table.isoformat()}. Does the API honour the parameters of `newest` in the "
            "resource's policy?"
        )
    by_sensor = datetime.fromisoformat(cursor[name]) if name in cursor else None
    known = max((moment for moment in (by_sensor, in_table) if moment), default=None)
    if known and newest <= known:
        return f"{name}: nothing new since {known.isoformat()}."
    if run_id := runs.in_progress(resource):
        return f"{name}: run {run_id} is in progress."
    failures = runs.failures(name, newest)
    again = retry_at(failures)
    if again and datetime.now(UTC) < again:
        return (
            f"{name}: {len(failures)} runs for the change of {newest.isoformat()} failed, the last "
            f"one is {failures[0].dagster_run.run_id}; next try {again.isoformat()}."
        )
    return Moved(resource, window, newest, len(failures))


def _run_requests(api: Api, sensor: str, moved: Sequence[Moved]) -> Iterator[dg.RunRequest]:
    """Yield a run for all resources without partitions, and one for each window of the others."""
    together: dict[tuple[str, ...], list[Moved]] = defaultdict(list)
    for each in moved:
        together[each.window].append(each)
    for window, group in together.items():
        newest = json.dumps({each.name: each.newest.isoformat() for each in group})
        keys = [asset_key(each.resource) for each in group]
        attempt = f"{newest} {[each.failures for each in group]}"
        yield dg.RunRequest(
            run_key=hashlib.sha256(attempt.encode()).hexdigest()[:16],
            asset_selection=[*keys, load_health_key(api.name)],
            tags={**run_tags(sensor, keys, window), NEWEST_TAG: newest, **BEFORE_BACKFILLS},
        )
