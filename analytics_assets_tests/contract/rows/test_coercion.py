"""Coercions that would make another value, and texts of values."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.rows.coercion import alters, as_text

EAST = timezone(timedelta(hours=2))
FIVE = datetime(2026, 1, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["date", "timestamp", "time"])
@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("bigint", 20260131),
        ("bigint", 2026),
        ("double", 1.5e9),
        ("bool", True),
        ("decimal", Decimal(5)),
    ],
)
def test_a_number_is_no_date_and_no_time(kind: Any, given: Any, value: Any) -> None:
    assert alters(kind, given, value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "20260131"),
        ("date", "2026"),
        ("date", "2026-01"),
        ("date", "31/01/2026"),
        ("date", "2026-01-31T23:30:00Z"),
        ("date", "2026-01-31T00:00:00+02:00"),
        ("date", "today"),
        ("timestamp", "1700000000"),
        ("timestamp", "1700000000.5"),
        ("timestamp", "-5"),
        ("timestamp", "2026"),
        ("timestamp", "2026-01"),
        ("timestamp", "2026-W05"),
        ("timestamp", "Jan 31 2026"),
        ("timestamp", "now"),
        ("timestamp", "\u0662026-01-31"),
        ("time", "10"),
        ("time", "1030"),
        ("time", "10:30:00+02:00"),
        ("time", "2026-01-31T10:30:00"),
    ],
)
def test_a_text_that_names_no_whole_date_or_time_is_none(kind: Any, text: str) -> None:
    assert alters(kind, "text", text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "2026-01-31"),
        ("date", "2026-01-31T00:00:00Z"),
        ("date", "2026-01-31 00:00:00.000"),
        ("timestamp", "2026-01-31"),
        ("timestamp", "2026-01-31T10:30"),
        ("timestamp", "2026-01-31 10:30:15.123456789"),
        ("timestamp", "2026-01-31T10:30:15Z"),
        ("timestamp", "2026-01-31T10:30:15.5+02:00"),
        ("timestamp", "2026-01-31T10:30:15-0500"),
        ("timestamp", "20260131T103015Z"),
        ("time", "10:30"),
        ("time", "10:30:15.5"),
    ],
)
def test_a_text_in_iso_format_is_read(kind: Any, text: str) -> None:
    assert not alters(kind, "text", text)


@pytest.mark.parametrize(
    ("kind", "given", "value", "altered"),
    [
        ("date", "timestamp", FIVE, True),
        ("date", "timestamp", FIVE.replace(hour=0), False),
        ("timestamp", "date", date(2026, 1, 31), False),
        ("decimal", "text", "0x1F", True),
        ("double", "text", "1e99999999999999999999", True),
        ("double", "text", "2.50", False),
        ("decimal", "text", "nan", True),
        ("decimal", "text", "12.50", False),
        ("decimal", "double", 12.5, False),
        ("double", "decimal", Decimal("0.1"), False),
        ("double", "decimal", Decimal("12345678901234567.89"), True),
        ("double", "bigint", 2**53 + 1, True),
        ("bigint", "decimal", Decimal(2**63), True),
        ("text", "bigint", 5, False),
    ],
)
def test_a_value_that_stays_the_same_is_converted(
    kind: Any, given: Any, value: Any, altered: bool
) -> None:
    assert alters(kind, given, value) is altered


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (False, "false"),
        (5.0, "5"),
        (-0.1, "-0.1"),
        (1e16, "1e+16"),
        (1e15, "1000000000000000"),
        (1.5e-7, "1.5e-07"),
        (Decimal(100), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.50"), "-0.5"),
        (datetime(2026, 1, 2, 1, 30, tzinfo=EAST), "2026-01-01T23:30:00Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC), "2026-01-01T00:00:00.5Z"),
        (date(2026, 1, 1), None),
        (5, None),
    ],
)
def test_a_value_has_the_text_of_json_or_iso_8601(value: Any, text: str | None) -> None:
    assert as_text(value) == text
