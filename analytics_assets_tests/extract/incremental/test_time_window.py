"""The time window of a request, and the rows inside."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.config.window import Window
from analytics_assets.extract.incremental.time_window import TimeWindow, with_params

BERLIN = ZoneInfo("Europe/Berlin")


def window(start: date, end: date, zone: Any = UTC) -> TimeWindow:
    """The days from one to another, which is left out."""
    first, last = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (start, end))
    return TimeWindow(first, last, Window())


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        (date(2026, 3, 1), True),
        (date(2026, 3, 3), False),
        (date(2026, 2, 28), False),
        ("2026-03-02", True),
        ("20260302", True),
        ("2026-03-03", False),
        (datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 3, tzinfo=UTC), False),
        (datetime(2026, 3, 3, 1, tzinfo=timezone(timedelta(hours=2))), True),
        (datetime(2026, 3, 2, 12), True),
        ("2026-03-02T23:59:59.999Z", True),
        ("2026-03-03T00:00:00Z", False),
        (None, False),
        ("soon", False),
        (20260302, False),
    ],
)
def test_a_row_is_inside_a_window_by_its_date_or_time(value: Any, inside: bool) -> None:
    assert window(date(2026, 3, 1), date(2026, 3, 3)).contains(value) is inside


def test_days_of_another_time_zone_begin_there() -> None:
    one_day = window(date(2026, 3, 1), date(2026, 3, 2), BERLIN)
    assert one_day.contains("2026-02-28T23:00:00Z")
    assert not one_day.contains("2026-03-01T23:00:00Z")
    assert one_day.contains(date(2026, 3, 1))
    assert not one_day.contains(date(2026, 2, 28))


@pytest.mark.parametrize(
    ("entry", "endpoint"),
    [
        ("orders", {"path": "orders", "params": {"day": "1"}}),
        ({"name": "orders"}, {"params": {"day": "1"}}),
        ({"name": "orders", "endpoint": "v1"}, {"path": "v1", "params": {"day": "1"}}),
        (
            {"name": "orders", "endpoint": {"path": "v1", "params": {"sort": "id"}}},
            {"path": "v1", "params": {"sort": "id", "day": "1"}},
        ),
    ],
)
def test_a_window_sets_the_parameters_of_its_resource_alone(entry: Any, endpoint: Any) -> None:
    config = {"client": {}, "resources": ["customers", entry]}
    changed = with_params(config, "orders", {"day": "1"})
    assert changed["resources"][0] == "customers"
    assert changed["resources"][1]["endpoint"] == endpoint
    assert config == {"client": {}, "resources": ["customers", entry]}
