"""Observations of endpoints: on demand, by a load, and by the new-data sensor."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import (
    AnalyticsAssetsError,
    SettingsError,
    find_cause,
    without_name,
)
from analytics_assets.config.load import Partitioned
from analytics_assets.config.settings.look_up import endpoint_url
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import (
    BodyError,
    LinkError,
    NoAnswerError,
    ResponseError,
    TokenError,
)
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.sampling.first_rows import count_first_rows
from analytics_assets.extract.sampling.watermark import fetch_newest
from analytics_assets.orchestration.api_file import user_error
from analytics_assets.orchestration.keys import endpoint_key
from analytics_assets.orchestration.metadata.names import (
    CAUSE,
    HTTP_STATUS,
    NEWEST_CHANGE,
    NOTE,
    REACHABLE,
    ROWS_EXTRACTED,
    ROWS_OF_PAGE,
    SECONDS_TO_ANSWER,
    URL,
)
from analytics_assets.orchestration.partitions.first_request import newest_window, params_of
from analytics_assets.redaction.redactor import redact

# errors after which no other endpoint of the API needs to be asked
OF_THE_WHOLE_API = (NoAnswerError, TokenError, SettingsError)
CHECK = "reachable"
REMEDY = "Once it can be read again, a load of its table or *Observe* ends this."


def observe(
    api: Api, resources: Sequence[Resource], now: datetime, log: logging.Logger
) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """Ask endpoints of an API for their newest change or for a row, one after another.

    Once the API gives no answer at all, or no token, the others are not asked.

    Args:
        api: the API.
        resources: resources of the API.
        now: the moment up to which partitions have ended.
        log: for the traceback of an error that is not known, such as one of a processing step.

    Yields:
        Each resource with the metadata of its observation; that of one that cannot be read has a
        `CAUSE`, with the remedy.
    """
    try:
        connection = connect(api.config["client"], api.name, single_attempt())
    except SettingsError as error:
        for resource in resources:
            yield resource, _unreachable(str(error))
        return
    broken: tuple[str, str] | None = None  # the resource asked last, and the cause
    with closing(connection):
        for resource in resources:
            if broken:
                asked, cause_of_all = broken
                note = f"Not asked, as the request for {asked} failed before it."
                yield resource, {**_unreachable(cause_of_all), NOTE: note}
                continue
            before = replace(connection.traffic)
            try:
                newest, rows = _ask(resource, connection, now)
            except Exception as error:
                cause = find_cause(error, AnalyticsAssetsError)
                text = cause or user_error(error)
                if text is None:
                    log.warning(f"{resource.full_name} could not be read.", exc_info=True)
                reason = without_name(text or _innermost(error), resource.name)
                if isinstance(cause, OF_THE_WHOLE_API):
                    broken = resource.name, reason
                yield resource, _unreachable(reason) | _traffic(connection, before)
            else:
                yield resource, _reachable(resource, newest, rows) | _traffic(connection, before)


def check_reachable(resource: Resource, state: Mapping[str, Any]) -> dg.AssetCheckResult:
    """Return the result of the check of an endpoint: the cause and the remedy if it fails.

    Args:
        resource: the resource.
        state: the metadata of the observation.
    """
    cause = state.get(CAUSE)
    answered = f"It answered with status {state.get(HTTP_STATUS)}."
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=endpoint_key(resource),
        passed=cause is None,
        description=_failed(cause) if cause else state.get(NOTE) or answered,
    )


def report_reachable(
    instance: dg.DagsterInstance, resource: Resource, by: str, cause: str | None = None
) -> None:
    """Report a result of the check of an endpoint without a run, unless it is that of the last one.

    Args:
        instance: holds the event log.
        resource: the resource.
        by: the one who has read the endpoint.
        cause: the reason why it cannot be read; None if it can.
    """
    key, passed = endpoint_key(resource), cause is None
    check = dg.AssetCheckKey(key, CHECK)
    record = instance.event_log_storage.get_asset_check_summary_records([check])[check]
    last = record.last_completed_check_execution_record
    evaluation = last.evaluation if last else None
    if evaluation and evaluation.passed == passed:
        return
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=CHECK,
            passed=passed,
            description=f"{by} has read it." if cause is None else _failed(redact(cause)),
        )
    )


def _innermost(error: BaseException) -> str:
    while error.__cause__:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


def _failed(cause: str) -> str:
    return f"{cause}\n\n{REMEDY}"


def _ask(
    resource: Resource, connection: Connection, now: datetime
) -> tuple[datetime | None, int | None]:
    """Return the newest change of an endpoint, and the number of rows on a page, where known."""
    window = newest_window(resource, now)
    newest = resource.policy.newest
    if newest is None or resource.is_child:
        return None, count_first_rows(resource, connection, params_of(resource, window))
    params = window.params if window else None
    return fetch_newest(resource, newest, connection, params), None


def _reachable(resource: Resource, newest: datetime | None, rows: int | None) -> dict[str, Any]:
    if rows is not None:
        return {REACHABLE: True, ROWS_OF_PAGE: rows}
    if newest:
        return {REACHABLE: True, NEWEST_CHANGE: dg.MetadataValue.timestamp(newest)}
    if not resource.is_child:
        is_partitioned = isinstance(resource.policy.load, Partitioned)
        none = "no rows in the newest partitions" if is_partitioned else "no rows"
        return {REACHABLE: True, NEWEST_CHANGE: none}
    note = "Not asked, as its requests need a row of another resource, which has none."
    return {REACHABLE: "unknown", NOTE: note}


def _unreachable(cause: str) -> dict[str, Any]:
    return {REACHABLE: False, CAUSE: redact(cause)}


def _traffic(connection: Connection, before: Traffic) -> dict[str, Any]:
    """Return the status of the last answer, and the mean time until one, if any arrived."""
    traffic = connection.traffic
    requests = traffic.requests - before.requests
    if not requests or traffic.status is None:
        return {}
    seconds = (traffic.seconds_answering - before.seconds_answering) / requests
    # a text, which the UI does not plot
    return {HTTP_STATUS: str(traffic.status), SECONDS_TO_ANSWER: round(seconds, 3)}


def observation_of_load(
    resource: Resource, connection: Connection, before: Traffic, load: Mapping[str, Any]
) -> dg.AssetObservation:
    """Return the observation of an endpoint that a load has read.

    Args:
        resource: the resource.
        connection: the connection of the load.
        before: its traffic before the load.
        load: the metadata of the load.
    """
    newest = load.get(NEWEST_CHANGE)
    found = (
        {NEWEST_CHANGE: dg.MetadataValue.timestamp(datetime.fromisoformat(newest))}
        if newest
        else {}
    )
    return dg.AssetObservation(
        endpoint_key(resource),
        metadata={
            REACHABLE: True,
            **found,
            ROWS_EXTRACTED: load[ROWS_EXTRACTED],
            **_traffic(connection, before),
            URL: _shown_url(resource, connection),
        },
    )


def failed_observation(
    resource: Resource, connection: Connection, before: Traffic, error: Exception
) -> dg.AssetObservation | None:
    """Return the observation of an endpoint that a load could not read.

    Args:
        resource: the resource.
        connection: the connection of the load.
        before: its traffic before the load.
        error: the error of the load.

    Returns:
        The observation; None if the load failed for another reason.
    """
    cause = find_cause(error, (ResponseError, BodyError, LinkError, *OF_THE_WHOLE_API))
    if cause is None:
        return None
    return dg.AssetObservation(
        endpoint_key(resource),
        metadata={
            **_unreachable(without_name(cause, resource.name)),
            **_traffic(connection, before),
            URL: _shown_url(resource, connection),
        },
    )


def _shown_url(resource: Resource, connection: Connection) -> dg.MetadataValue | str:
    settings = connection.settings
    if settings.embedded:
        return "embedded API"  # no link, as it ends with its process
    return dg.MetadataValue.url(endpoint_url(settings.base_url, resource.shown_path))
