"""The new-data sensor: fetches the API's newest changes, and requests runs for them alone."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, SettingsError, find_cause
from analytics_assets.config.load import Partitioned
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import NoAnswerError, TokenError
from analytics_assets.extract.sampling.watermark import fetch_newest
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import NEWEST_CHANGE
from analytics_assets.orchestration.partitions.definition import (
    due_windows,
    partitioned,
    time_window_of,
)
from analytics_assets.orchestration.runs.materializations import last_loads, plain_metadata
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, range_name, range_tags
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.redaction.redactor import redact

INTERVAL = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)
RESOURCE_TAG = "analytics_assets/new_data_of"
NEWEST_TAG = "analytics_assets/new_data_until"
FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
UNFINISHED = [
    status for status in dg.DagsterRunStatus if status not in (*FAILED, dg.DagsterRunStatus.SUCCESS)
]


def build_new_data_sensor(
    api: Api,
    resources: Mapping[str, Resource],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dg.SensorDefinition:
    """Build the sensor that requests a load of each resource with new data.

    Its cursor holds, per resource, the newest change that a load has brought. It advances once the
    run that the sensor requested has succeeded. A failed run is requested again, after a pause
    that doubles with each failure. For a partitioned resource, each window of the partitions that
    are due has its own request, its own place in the cursor and its own run.

    Args:
        api: the API.
        resources: its resources by name.
        clock: returns the moment at which partitions are due.

    Returns:
        The sensor; resources whose policy has no `newest`, or that are read from the rows of
        another, have their schedule alone.
    """
    watched = [
        resource
        for resource in resources.values()
        # a child would need one request per row of its parent
        if resource.policy.newest and not resource.is_child
    ]

    @dg.sensor(
        name=f"{api.name}_new_data",
        # not `target`, which requires that all assets have the same partitions
        asset_selection=dg.AssetSelection.assets(*(asset_key(resource) for resource in watched)),
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        description="Asks each endpoint for its newest change, and loads resources with new data.",
    )
    @errors_redacted()
    def new_data(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        now = clock()
        due = [(resource, _windows(resource, now)) for resource in watched]
        windows = [(resource, window) for resource, each in due for window in each]
        cursor = _advance(context.instance, windows, cursor)
        outcomes: list[dg.RunRequest | str] = [
            f"{resource.name}: there is no partition yet." for resource, each in due if not each
        ]
        try:
            with closing(connect(api.config["client"], api.name, single_attempt())) as connection:
                for resource, window in windows:
                    loaded = cursor.get(_name(resource, window))
                    outcomes.append(
                        _evaluate(context.instance, resource, window, loaded, connection)
                    )
        except Exception as error:
            # the next tick is the retry, so that a tick is skipped, not failed, if the API is down
            cause = find_cause(error, AnalyticsAssetsError)
            if cause is None:
                raise
            outcomes.append(str(cause))
        runs = [outcome for outcome in outcomes if isinstance(outcome, dg.RunRequest)]
        reasons = [redact(outcome) for outcome in outcomes if isinstance(outcome, str)]
        for reason in reasons:
            context.log.info(reason)
        return dg.SensorResult(
            run_requests=runs,
            skip_reason=None if runs else " ".join(reasons) or "No resource is watched.",
            cursor=json.dumps(cursor),
        )

    return new_data


def _windows(resource: Resource, now: datetime) -> list[list[str]]:
    """Return the partitions of each run that would load what is due; one without, for a table."""
    load = resource.policy.load
    return due_windows(load, now) if isinstance(load, Partitioned) else [[]]


def _advance(
    instance: dg.DagsterInstance,
    windows: Iterable[tuple[Resource, Sequence[str]]],
    cursor: Mapping[str, str],
) -> dict[str, str]:
    """Return the cursor of these windows: the newest change that the sensor's own runs loaded."""
    advanced: dict[str, str] = {}
    for resource, window in windows:
        succeeded = instance.get_runs(
            dg.RunsFilter(tags=_tags(resource, window), statuses=[dg.DagsterRunStatus.SUCCESS]),
            limit=1,
        )
        moments = [run.tags[NEWEST_TAG] for run in succeeded]
        name = _name(resource, window)
        if name in cursor:
            moments.append(cursor[name])
        if moments:
            advanced[name] = max(moments, key=datetime.fromisoformat)
    return advanced


def _evaluate(
    instance: dg.DagsterInstance,
    resource: Resource,
    window: Sequence[str],
    loaded: str | None,
    connection: Connection,
) -> dg.RunRequest | str:
    """Return the run that a window of a resource needs now, or the reason that it needs none."""
    name = _name(resource, window)
    newest = _newest_change(resource, window, connection)
    if isinstance(newest, str):
        return newest
    in_table = _newest_in_table(instance, resource, window)
    if in_table and newest < in_table and not window:
        return (
            f"{name}: the API's newest change is of {newest.isoformat()}, but the table holds "
            f"one of {in_table.isoformat()}. Does the API honour the parameters of `newest` in the "
            "resource's policy?"
        )
    by_sensor = datetime.fromisoformat(loaded) if loaded else None
    known = max((moment for moment in (by_sensor, in_table) if moment), default=None)
    if known and newest <= known:
        return f"{name}: nothing new since {known.isoformat()}."
    running = instance.get_runs(
        dg.RunsFilter(tags=_tags(resource, ()), statuses=UNFINISHED), limit=1
    )
    if running:
        return f"{name}: run {running[0].run_id} is in progress."
    tags = {**_tags(resource, window), NEWEST_TAG: newest.isoformat()}
    failures = instance.get_run_records(dg.RunsFilter(tags=tags, statuses=FAILED))
    retry_at = _retry_at(failures)
    if retry_at and datetime.now(UTC) < retry_at:
        return (
            f"{name}: {len(failures)} runs for the change of {newest.isoformat()} failed, the last "
            f"one is {failures[0].dagster_run.run_id}; next try {retry_at.isoformat()}."
        )
    return dg.RunRequest(
        run_key=f"{name}@{resource.api_name}: {tags[NEWEST_TAG]}#{len(failures)}",
        asset_selection=[asset_key(resource)],
        tags={**tags, **BEFORE_BACKFILLS},
    )


def _retry_at(failures: Sequence[dg.RunRecord]) -> datetime | None:
    """Return the moment from which a run may be requested again; None if none failed."""
    if not failures:
        return None
    return datetime.fromtimestamp(failures[0].end_time or 0, UTC) + pause(len(failures))


def pause(failures: int) -> timedelta:
    """Return the pause after a number of failed runs: doubled by each, up to the longest one.

    Example:
        >>> str(pause(1)), str(pause(2)), str(pause(1000))
        ('0:05:00', '0:10:00', '6:00:00')
    """
    doublings = min(failures - 1, 10)  # more would exceed what a timedelta can be
    return min(LONGEST_PAUSE, INTERVAL * 2.0**doublings)


def _newest_change(
    resource: Resource, window: Sequence[str], connection: Connection
) -> datetime | str:
    """Return the endpoint's newest change, or the reason that it has none."""
    newest_request = resource.policy.newest
    assert newest_request is not None, "others are not watched"
    if window:
        params = time_window_of(partitioned(resource), window).params
        newest_request = {**newest_request, "params": {**params, **newest_request["params"]}}
    try:
        newest = fetch_newest(resource, newest_request, connection)
    except Exception as error:
        cause = find_cause(error, AnalyticsAssetsError)
        if cause is None or isinstance(cause, NoAnswerError | TokenError | SettingsError):
            raise
        return str(cause)
    return newest or f"{_name(resource, window)}: the API has no rows."


def _newest_in_table(
    instance: dg.DagsterInstance, resource: Resource, window: Sequence[str]
) -> datetime | None:
    """Return the newest change in the table after its last load by any run.

    For partitions it is the one after the oldest of their last loads; None if a partition was never
    loaded.
    """
    asset = asset_key(resource)
    if window:
        loads = last_loads(instance, asset, window)
        moments = [load.metadata.get(NEWEST_CHANGE) for load in loads.values()]
        known = [datetime.fromisoformat(moment) for moment in moments if moment]
        return min(known) if len(known) == len(window) else None
    event = instance.get_latest_materialization_event(asset)
    materialization = event.asset_materialization if event else None
    newest = plain_metadata(materialization).get(NEWEST_CHANGE) if materialization else None
    return datetime.fromisoformat(newest) if newest else None


def _name(resource: Resource, window: Sequence[str]) -> str:
    return f"{resource.name}, {range_name(window)}" if window else resource.name


def _tags(resource: Resource, window: Sequence[str]) -> dict[str, str]:
    own = {RESOURCE_TAG: resource.full_name}
    return {**own, **(range_tags(window) if window else {})}
