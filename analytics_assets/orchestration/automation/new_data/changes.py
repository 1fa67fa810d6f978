"""The changes of endpoints that are to be loaded, and the reasons why an endpoint has none."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from analytics_assets.config.errors import AnalyticsAssetsError, find_cause, without_name
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import (
    NoAnswerError,
    QuotaError,
    ResponseError,
    TokenUnavailableError,
    is_quota_used_up,
    is_temporary,
)
from analytics_assets.extract.sampling.watermark import NewestRead
from analytics_assets.orchestration.api_file import user_error
from analytics_assets.orchestration.assets.observation import OF_THE_WHOLE_API
from analytics_assets.orchestration.automation.new_data.requested_runs import (
    RequestedRuns,
    change_name,
    retry_at,
)
from analytics_assets.orchestration.partitions.definition import partitioned, time_window_of


class Refusal(str):
    """The reason why an endpoint cannot be asked, which somebody must correct."""

    __slots__ = ()


class Moved(NamedTuple):
    """A change that is to be loaded.

    Args:
        resource: the resource.
        window: its partitions; empty if it has none.
        newest: the moment of the change.
        failed: the last run for it that has failed; empty if none has.
    """

    resource: Resource
    window: tuple[str, ...]
    newest: datetime
    failed: str

    @property
    def name(self) -> str:
        """The name of the change in the cursor, in logs and in tags."""
        return change_name(self.resource, self.window)


def newest_read(resource: Resource, window: Sequence[str], connection: Connection) -> NewestRead:
    """Make the read of the newest change of an endpoint, or of some partitions.

    Args:
        resource: the resource; its policy has `newest`.
        window: consecutive partitions; empty for a resource without.
        connection: a connection to its API.
    """
    newest = resource.policy.newest
    assert newest is not None, "others are not watched"
    params = time_window_of(partitioned(resource), window).params if window else None
    return NewestRead(resource, newest, connection, params)


def change_of(
    resource: Resource,
    window: tuple[str, ...],
    newest: datetime | None,
    in_table: datetime | None,
    cursor: Mapping[str, str],
    runs: RequestedRuns,
) -> Moved | str:
    """Return the change that is to be loaded, or the reason that none is.

    Args:
        resource: the resource.
        window: its partitions; empty if it has none.
        newest: the newest change of the endpoint; None if it has no rows.
        in_table: the newest change in the table; None if it is unknown.
        cursor: the newest change that runs of the sensor have loaded, by name.
        runs: the runs that the sensor has requested.
    """
    name = change_name(resource, window)
    if newest is None:
        return f"{name}: the API has no rows."
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
            f"one is {failures[0].run_id}; next try {again.isoformat()}."
        )
    return Moved(resource, window, newest, failures[0].run_id if failures else "")


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


def concerns_all(error: Exception, has_answered: bool) -> bool:
    """Return True if no other endpoint of the API needs to be asked after an error.

    Args:
        error: the error of the request.
        has_answered: True if another endpoint has answered: the API is not down if this one does
            not.
    """
    cause = find_cause(error, AnalyticsAssetsError)
    is_silent = isinstance(cause, NoAnswerError) and not isinstance(cause, QuotaError)
    return isinstance(cause, OF_THE_WHOLE_API) and not (is_silent and has_answered)


def _is_down(cause: AnalyticsAssetsError | None) -> bool:
    """Return True for an error that passes by itself: no answer, over the limit, an error of it."""
    if cause and is_quota_used_up(cause):
        return True
    if isinstance(cause, ResponseError):
        return cause.response is not None and is_temporary(cause.response.status_code)
    return isinstance(cause, NoAnswerError | TokenUnavailableError)
