"""Timestamps as APIs and warehouses write them."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from analytics_assets.config.times.timestamps import (
    earlier,
    format_like,
    in_zone,
    is_format_supported,
    later,
    parse_timestamp,
)

EVENING = datetime(2026, 1, 31, 23, 30, 15, 987654, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T23:30:15.987654Z",
        "2026-02-01T00:30:15.987654+01:00",
        "2026-01-31T23:30:15.987654",
        EVENING.replace(tzinfo=None),
        EVENING.astimezone(timezone(timedelta(hours=-5))),
    ],
)
def test_a_time_is_in_utc_unless_it_says_otherwise(value: Any) -> None:
    assert parse_timestamp(value) == EVENING
    assert getattr(parse_timestamp(value), "tzinfo", None) is UTC


@pytest.mark.parametrize("value", ["2026-01-31", date(2026, 1, 31), "20260131"])
def test_a_date_is_its_midnight(value: Any) -> None:
    assert parse_timestamp(value) == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "Monday", True, [], "0001-01-01T00:00:00+05:00"])
def test_anything_else_is_no_timestamp(value: Any) -> None:
    assert parse_timestamp(value) is None


EDGES = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]


@pytest.mark.parametrize("days", [3, timedelta.max.days])
def test_calculations_stay_within_the_calendar(days: int) -> None:
    first, last = EDGES
    span = timedelta(days=days)

    assert (earlier(first, span), later(last, span)) == (first, last)
    assert earlier(EVENING, timedelta.max) == first
    assert later(EVENING, timedelta.max) == last
    assert later(first, timedelta(days=3)) == earlier(datetime(1, 1, 7, tzinfo=UTC), timedelta(3))


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("hours", [-14, 0, 14])
def test_a_time_zone_does_not_lead_out_of_the_calendar(edge: datetime, hours: int) -> None:
    moved = in_zone(edge, timezone(timedelta(hours=hours)))

    assert abs(moved - edge) <= timedelta(hours=14)
    assert moved.utcoffset() == timedelta(hours=hours)


def test_a_number_is_no_timestamp() -> None:
    assert parse_timestamp(EVENING.timestamp()) is None
    assert parse_timestamp(1e20) is None


@pytest.mark.parametrize(
    ("example", "written"),
    [
        ("2025-01-01", "2026-01-31"),
        ("20250101", "20260131"),
        ("2025-01-01T00:00:00Z", "2026-01-31T23:30:15Z"),
        ("2025-01-01T00:00:00.000Z", "2026-01-31T23:30:15.987Z"),
        ("2025-01-01T00:00:00.000000+00:00", "2026-01-31T23:30:15.987654+00:00"),
        ("2025-01-01T00:00:00+02:00", "2026-02-01T01:30:15+02:00"),
        ("2025-01-01T00:00:00-0500", "2026-01-31T18:30:15-0500"),
        ("2025-01-01T00:00:00", "2026-01-31T23:30:15"),
        ("2025-01-01T00:00", "2026-01-31T23:30"),
    ],
)
def test_a_timestamp_is_written_in_the_format_of_another_and_cut_to_its_precision(
    example: str, written: str
) -> None:
    assert format_like(EVENING, example) == written
    assert is_format_supported(example)


@pytest.mark.parametrize(
    "text", ["", "Monday", "2025-01-01 00:00:00", "0001-01-01", "2025-02-30", "2025"]
)
def test_a_format_that_cannot_be_written_is_known(text: str) -> None:
    assert not is_format_supported(text)
