"""Times in a stated format: a unit since 1970, or one of strptime."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.config.times.timestamps import (
    EPOCHS,
    TimeFormatError,
    is_time_format,
    kind_of,
    read_time,
    write_time,
)

EVENING = datetime(2026, 1, 31, 23, 30, 15, 500_000, tzinfo=UTC)
SECONDS = 1_769_902_215


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("epoch_seconds", SECONDS + 0.5),
        ("epoch_seconds", f"{SECONDS}.5"),
        ("epoch_seconds", Decimal(f"{SECONDS}.5000009")),
        ("epoch_milliseconds", SECONDS * 1000 + 500),
        ("epoch_milliseconds", f"{SECONDS}500"),
        ("epoch_milliseconds", 1.7699022155e12),
        ("epoch_microseconds", SECONDS * 1_000_000 + 500_000),
        ("%d.%m.%Y %H:%M:%S.%f", "31.01.2026 23:30:15.5"),
        ("%Y%m%dT%H%M%S.%f%z", "20260201T003015.5+0100"),
        ("%b %d, %Y %I:%M:%S.%f %p", "Jan 31, 2026 11:30:15.500 PM"),
    ],
)
def test_a_time_is_read_in_its_format(form: str, value: Any) -> None:
    assert read_time(value, form) == EVENING
    assert read_time(value, form).tzinfo is UTC


@pytest.mark.parametrize(
    ("form", "value", "read"),
    [
        ("%Y%m%d", 20260131, "2026-01-31T00:00:00"),
        ("%Y%m%d", "20260131", "2026-01-31T00:00:00"),
        ("%Y%m%dT%H%M%S.%f%z", "20260131T103015.5+0200", "2026-01-31T08:30:15.500000"),
        ("%m/%d/%Y", "1/31/2026", "2026-01-31T00:00:00"),
        ("%Y-%m", "2026-01", "2026-01-01T00:00:00"),
        ("epoch_seconds", -1, "1969-12-31T23:59:59"),
        ("epoch_seconds", 0, "1970-01-01T00:00:00"),
        ("epoch_seconds", -62_135_596_800, "0001-01-01T00:00:00"),
        ("epoch_seconds", 253_402_300_799, "9999-12-31T23:59:59"),
        ("%Y-%m-%d", "9999-12-31", "9999-12-31T00:00:00"),
    ],
)
def test_days_and_the_ends_of_the_calendar_are_read(form: str, value: Any, read: str) -> None:
    assert read_time(value, form) == datetime.fromisoformat(f"{read}Z")


@pytest.mark.parametrize(
    ("form", "value"),
    [
        *[
            (form, value)
            for form in EPOCHS
            for value in ("soon", "", True, [1], "2026-01-31", "0x5")
        ],
        ("%Y%m%d", "2026-01-31"),
        ("%Y%m%d", 2026111),  # the 1st of November, or the 11th of January
        ("%Y%m%dT%H%M%S%z", "2026111T103015Z"),
        ("%Y%m%d%H%M%S.%f", "2026013110301.5"),
        ("%Y%m%d", 20260131.0),
        ("%Y%m%d", True),
        ("%Y%m%d", None),
        ("%Y-%m-%d", "2026-02-30"),
        ("%H:%M", "25:00"),
    ],
)
def test_a_value_in_another_format_is_refused_and_not_quoted(form: str, value: Any) -> None:
    with pytest.raises(TimeFormatError) as caught:
        read_time(value, form)

    assert str(caught.value) == f"not in the format `{form}`"


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("epoch_seconds", 253_402_300_800),
        ("epoch_seconds", -62_135_596_801),
        ("epoch_seconds", SECONDS * 1000),
        ("epoch_seconds", float("nan")),
        ("epoch_seconds", float("inf")),
        ("epoch_milliseconds", "9" * 5000),
        ("epoch_microseconds", Decimal("1E+999999999")),
        ("epoch_seconds", "1e99999999999999999999"),
        ("%Y-%m-%d %z", "0001-01-01 +0100"),
    ],
)
def test_a_time_outside_the_years_1_to_9999_is_refused(form: str, value: Any) -> None:
    with pytest.raises(TimeFormatError, match=r"not a time of the years 1 to 9999"):
        read_time(value, form)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("epoch_seconds", f"{SECONDS}"),
        ("epoch_milliseconds", f"{SECONDS}500"),
        ("epoch_microseconds", f"{SECONDS}500000"),
        ("%Y%m%d", "20260131"),
    ],
)
def test_a_time_is_written_in_its_format_never_later_than_it_is(form: str, written: str) -> None:
    assert write_time(EVENING, form) == written
    assert read_time(written, form) <= EVENING


def test_a_unit_since_1970_is_the_same_in_each_time_zone() -> None:
    eastern = EVENING.astimezone(timezone(timedelta(hours=9)))

    assert write_time(eastern, "epoch_seconds") == f"{SECONDS}"


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("epoch_seconds", "timestamp"),
        ("%Y%m%d", "date"),
        ("%Y-W%W-%w", "date"),
        ("%H:%M", "time"),
        ("%d/%m/%Y %H:%M", "timestamp"),
    ],
)
def test_a_format_has_the_type_of_its_column(form: str, kind: str) -> None:
    assert is_time_format(form)
    assert kind_of(form) == kind


@pytest.mark.parametrize(
    "form",
    ["", "epoch", "epoch_hours", "YYYY-MM-DD", "%s", "%Y-%m-%d %Z", "%Q", "%%Y", "%", 5, None],
)
def test_anything_else_is_no_format(form: Any) -> None:
    assert not is_time_format(form)
