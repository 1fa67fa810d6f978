from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Incremental, Load, Partitioned
from analytics_assets.config.window import Window

START = date(2026, 1, 1)
BERLIN = "Europe/Berlin"


def partitioned(**parts: Any) -> Partitioned:
    return Partitioned(**{"start": START, **parts})


def window(**parts: Any) -> Window:
    return Window(**parts)


def incremental(**parts: Any) -> Incremental:
    return Incremental(**{"initial_value": "2025-01-01T00:00:00Z", **parts})


@pytest.mark.parametrize(
    ("window", "params"),
    [
        (Window(), {"start_date": "2026-03-01", "end_date": "2026-03-02"}),
        (
            Window(start_param="from", end_param="until", end_is_inclusive=False),
            {"from": "2026-03-01", "until": "2026-03-03"},
        ),
        (
            Window(format="%Y%m%dT%H:%M:%S"),
            {"start_date": "20260301T00:00:00", "end_date": "20260303T00:00:00"},
        ),
        (
            Window(format="%Y-%m-%dT%H:%M%z", end_is_inclusive=False, timezone=BERLIN),
            {"start_date": "2026-03-01T01:00+0100", "end_date": "2026-03-03T01:00+0100"},
        ),
    ],
)
def test_a_span_of_time_is_written_as_the_api_takes_it(
    window: Window, params: dict[str, str]
) -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    assert window.params(start, end) == params


def test_a_day_on_which_clocks_change_is_asked_for_as_one_day() -> None:
    zone = ZoneInfo(BERLIN)
    start, end = datetime(2026, 3, 29, tzinfo=zone), datetime(2026, 3, 30, tzinfo=zone)
    assert Window(timezone=BERLIN).params(start, end) == {
        "start_date": "2026-03-29",
        "end_date": "2026-03-29",
    }
    in_utc = Window(format="%Y-%m-%dT%H:%MZ", end_is_inclusive=False).params(start, end)
    assert in_utc == {"start_date": "2026-03-28T23:00Z", "end_date": "2026-03-29T22:00Z"}


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/Santiago", date(2026, 4, 4)), ("Africa/Cairo", date(2026, 10, 29))],
)
def test_a_day_whose_last_hour_comes_twice_is_asked_for_up_to_its_end(zone: str, day: date) -> None:
    start, end = (
        datetime(each.year, each.month, each.day, tzinfo=ZoneInfo(zone))
        for each in (day, day + timedelta(days=1))
    )
    how = Window(format="%Y-%m-%dT%H:%M:%S%z", timezone=zone)
    asked = [datetime.fromisoformat(moment) for moment in how.params(start, end).values()]
    assert asked[1] - asked[0] == timedelta(hours=25)


@pytest.mark.parametrize("form", ["%Y-%m-%dT%HZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S.%f"])
def test_the_inclusive_end_of_a_window_leaves_no_gap_before_the_start_of_the_next(
    form: str,
) -> None:
    first, second, third = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3))
    how = Window(format=form)
    assert how.params(first, second)["end_date"] == how.params(second, third)["start_date"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: partitioned(by="hour"), "`Partitioned`: `by` cannot be 'hour': give 'day',"),
        (lambda: partitioned(start="2026-01-01"), "`start` cannot be '2026-01-01': give a date"),
        (lambda: partitioned(start=datetime(2026, 1, 1)), "give a date such as date(2026, 1, 1)"),
        (lambda: partitioned(by="week"), "give datetime.date(2025, 12, 29) or a later one"),
        (
            lambda: partitioned(by="month", start=date(2026, 1, 2)),
            "give datetime.date(2026, 1, 1) or a later one",
        ),
        (lambda: partitioned(lookback=-1), "`lookback` cannot be -1: give a whole number of at"),
        (lambda: partitioned(lookback=True), "`lookback` cannot be True"),
        (lambda: partitioned(lookback=timedelta(days=3)), "`lookback` cannot be"),
        (lambda: partitioned(longest_window=0), "`longest_window` cannot be 0"),
        (lambda: partitioned(partitions_per_run=0), "`partitions_per_run` cannot be 0"),
        (lambda: partitioned(window="start_date"), "`window` cannot be 'start_date': give a Win"),
        (lambda: partitioned(include_unfinished="no"), "`include_unfinished` cannot be 'no'"),
        (lambda: partitioned(timezone="Berlin"), "`timezone` cannot be 'Berlin': give an IANA"),
        (lambda: partitioned(max_drop=50), "`max_drop` cannot be 50: give a share from 0 to 1"),
        (lambda: window(start_param=" "), "`Window`: `start_param` cannot be ' '"),
        (lambda: window(end_param="start_date"), "start and end need a parameter each"),
        (lambda: window(format="%s"), "`format` cannot be '%s'"),
        (lambda: window(end_is_inclusive=1), "`end_is_inclusive` cannot be 1: give True or Fal"),
        (lambda: window(timezone=None), "`Window`: `timezone` cannot be None"),
        (lambda: incremental(param=""), "`Incremental`: `param` cannot be ''"),
        (lambda: incremental(field=None), "`field` cannot be None"),
        (lambda: incremental(initial_value="yesterday"), "give a date or time such as '2025-01"),
        (lambda: incremental(initial_value="0001-01-01"), "give a date or time such as '2025-01"),
        (lambda: incremental(lookback=timedelta(days=-1)), "give a timedelta that is not negat"),
        (lambda: incremental(lookback=3), "`lookback` cannot be 3"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(make: Callable[[], Load], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize("form", ["%m-%d", "%d", "%Y-%m", "today"])
def test_a_format_that_writes_two_days_alike_is_refused(form: str) -> None:
    with pytest.raises(ConfigurationError, match="more than one day alike"):
        partitioned(window=Window(format=form))


@pytest.mark.parametrize(
    ("by", "start", "form"),
    [("month", START, "%Y-%m"), ("week", date(2026, 1, 5), "%G-W%V"), ("day", START, "%Y-%j")],
)
def test_a_format_may_write_no_more_than_the_partition(by: Any, start: date, form: str) -> None:
    assert partitioned(by=by, start=start, window=Window(format=form))


def test_days_of_another_time_zone_than_that_of_the_partitions_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="days of another time zone"):
        partitioned(timezone=BERLIN)
    assert partitioned(timezone=BERLIN, window=Window(timezone=BERLIN))
    assert partitioned(timezone=BERLIN, window=Window(format="%Y-%m-%dT%H:%M:%SZ"))


def test_hours_of_another_time_zone_whose_clocks_change_need_their_offset() -> None:
    with pytest.raises(ConfigurationError, match=r"days of another time zone.*`%z`"):
        partitioned(window=Window(format="%Y-%m-%dT%H:%M:%S", timezone=BERLIN))
    assert partitioned(window=Window(format="%Y-%m-%dT%H:%M:%S%z", timezone=BERLIN))
