"""The newest change of an endpoint and of its table, and the reasons why an endpoint has none."""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError, find_cause, without_name
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import (
    NoAnswerError,
    ResponseError,
    TokenUnavailableError,
    is_quota_used_up,
    is_temporary,
)
from analytics_assets.extract.sampling.watermark import fetch_newest
from analytics_assets.orchestration.api_file import user_error
from analytics_assets.orchestration.assets.observation import OF_THE_WHOLE_API
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import NEWEST_CHANGE
from analytics_assets.orchestration.partitions.definition import partitioned, time_window_of
from analytics_assets.orchestration.runs.materializations import last_loads, newest_metadata


class Refusal(str):
    """The reason why an endpoint cannot be asked, which somebody must correct."""

    __slots__ = ()


def newest_change(
    resource: Resource, window: Sequence[str], connection: Connection
) -> datetime | None:
    """Fetch the newest change of an endpoint, or of some partitions; None if it has no rows.

    Args:
        resource: the resource; its policy has `newest`.
        window: consecutive partitions; empty for a resource without.
        connection: sends the request.
    """
    newest = resource.policy.newest
    assert newest is not None, "others are not watched"
    params = time_window_of(partitioned(resource), window).params if window else None
    return fetch_newest(resource, newest, connection, params)


def newest_in_table(
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
    newest = newest_metadata(instance, asset).get(NEWEST_CHANGE)
    return datetime.fromisoformat(newest) if newest else None


def reason_of(error: Exception, name: str) -> str:
    """Return the reason why an endpoint has no answer: a `Refusal`, or that the API is down.

    Args:
        error: the error of the request.
        name: the resource, and the partitions.
    """
    cause = find_cause(error, AnalyticsAssetsError)
    text = cause or user_error(error) or f"{type(error).__name__}: {error}"
    sentence = f"{name}: {without_name(text, name)}"
    return sentence if _is_down(cause) else Refusal(sentence)


def concerns_all(error: Exception) -> bool:
    """Return True if no other endpoint of the API needs to be asked after an error."""
    return isinstance(find_cause(error, AnalyticsAssetsError), OF_THE_WHOLE_API)


def _is_down(cause: AnalyticsAssetsError | None) -> bool:
    """Return True for an error that passes by itself: no answer, over the limit, an error of it."""
    if cause and is_quota_used_up(cause):
        return True
    if isinstance(cause, ResponseError):
        return cause.response is not None and is_temporary(cause.response.status_code)
    return isinstance(cause, NoAnswerError | TokenUnavailableError)
