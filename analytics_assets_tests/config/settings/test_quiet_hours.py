"""Quiet hours: the moments in them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.config.settings.quiet_hours import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")


def quiet(spans: str, day: int, hour: int, minute: int = 0) -> bool:
    """Return True if a moment of November 2026 in Berlin is quiet."""
    moment = datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)
    return QuietHours.parse(spans, "Europe/Berlin").contains(moment)


def test_a_night_ends_on_the_next_day() -> None:
    assert [quiet("22:00-07:00", 27, hour) for hour in (21, 22, 23)] == [False, True, True]
    assert [quiet("22:00-07:00", 28, hour) for hour in (0, 6, 7)] == [True, True, False]


def test_hours_of_a_day() -> None:
    assert [quiet("12:00-13:30", 27, 13, minute) for minute in (0, 29, 30)] == [True, True, False]


def test_whole_days() -> None:
    days = {day: quiet("sat, sun", day, 12) for day in (27, 28, 29, 30)}
    assert days == {27: False, 28: True, 29: True, 30: False}
    assert quiet("sat-sun", 29, 23, 59)
    assert not quiet("sat-sun", 30, 0, 0)


def test_the_nights_of_some_days_last_until_the_next_morning() -> None:
    assert quiet("fri 20:00-06:00", 28, 5)
    assert not quiet("fri 20:00-06:00", 27, 5)
    assert not quiet("fri 20:00-06:00", 28, 21)


def test_days_over_the_end_of_the_week() -> None:
    assert [quiet("fri-mon", day, 12) for day in (26, 27, 30)] == [False, True, True]


def test_none() -> None:
    assert not QuietHours.parse("", "UTC")
    assert not quiet("", 27, 3)


@pytest.mark.parametrize(
    ("spans", "zone"),
    [
        ("22-7", "UTC"),
        ("25:00-07:00", "UTC"),
        ("funday", "UTC"),
        ("mon tue", "UTC"),
        ("22:00-07:00", "Berlin"),
        ("22:00-07:00", ""),
    ],
)
def test_what_cannot_be_read_is_refused(spans: str, zone: str) -> None:
    with pytest.raises(ValueError, match=r"span|day|zone|hour"):
        QuietHours.parse(spans, zone)
