"""The span of time that a request selects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics_assets.config.resource import (
    as_endpoint,
    as_entry,
    is_resource_function,
    name_of,
)
from analytics_assets.config.timestamps import later
from analytics_assets.config.window import SHORTEST_STEP, Window


@dataclass(frozen=True)
class TimeWindow:
    """The span of time that a request selects.

    Args:
        start: its first moment, in the time zone in which days begin; midnight there.
        end: the first moment after it, likewise.
        query: its query parameters, and their format.
    """

    start: datetime
    end: datetime
    query: Window

    @property
    def params(self) -> dict[str, str]:
        """The query parameters of the span."""
        return self.query.params(self.start, self.end)

    @property
    def reach(self) -> "TimeWindow":
        """The span of the rows that the API may return: up to its end, or including it."""
        inclusive = self.query.precision if self.query.end_is_inclusive else None
        end = later(self.end.astimezone(UTC), inclusive or timedelta())
        return replace(self, end=end.astimezone(self.end.tzinfo))

    @property
    def days(self) -> tuple[date, date]:
        """The first day whose midnight is inside, and the first one after the end."""
        return self.start.date(), (self.end - SHORTEST_STEP).date() + timedelta(days=1)

    def contains(self, value: Any) -> bool:
        """Test if a date, a time, or an ISO text of either, is inside.

        Example:
            >>> january = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
            >>> window = TimeWindow(*january, Window())
            >>> window.contains("2026-01-31"), window.contains("2026-02-01T00:00:00Z")
            (True, False)
        """
        when = as_date_or_time(value)
        if isinstance(when, datetime):
            return self.start <= when < self.end
        first, end = self.days
        return when is not None and first <= when < end


def with_params(
    config: Mapping[str, Any], resource: str, params: Mapping[str, str]
) -> dict[str, Any]:
    """Add query parameters to the endpoint of one resource.

    Args:
        config: a dlt REST configuration; left as it is.
        resource: the resource.
        params: the parameters by their names.

    Returns:
        The configuration with them.

    Example:
        >>> with_params({"resources": ["orders"]}, "orders", {"day": "2026-01-31"})["resources"]
        [{'name': 'orders', 'endpoint': {'path': 'orders', 'params': {'day': '2026-01-31'}}}]
    """
    return {
        **config,
        "resources": [_with_params(entry, resource, params) for entry in config["resources"]],
    }


def _with_params(entry: Any, resource: str, params: Mapping[str, str]) -> Any:
    if is_resource_function(entry) or name_of(entry) != resource:
        return entry
    entry = as_entry(entry)
    endpoint = as_endpoint(entry.get("endpoint"))
    # dlt merges the parameters of an entry into those of `resource_defaults`
    return {**entry, "endpoint": {**endpoint, "params": {**endpoint.get("params", {}), **params}}}


def as_date_or_time(value: Any) -> date | datetime | None:
    """Parse a date or a time, itself or as an ISO text; None for any other value.

    A time without a time zone is in UTC, as in dlt.
    """
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return value if isinstance(value, date) else None


def _parsed(text: str) -> date | datetime | None:
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            return parse(text)
        except ValueError:
            continue
    return None
