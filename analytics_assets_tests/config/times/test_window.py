"""Windows: the parameters of a span of time, and values that are refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.times.window import TimeWindow, Window

BERLIN = "Europe/Berlin"


def window(**parts: Any) -> Window:
    return Window(**parts)


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
        (
            Window(format="epoch_seconds", timezone=BERLIN),
            {"start_date": "1772323200", "end_date": "1772496000"},
        ),
        (
            Window(format="epoch_milliseconds"),
            {"start_date": "1772323200000", "end_date": "1772496000000"},
        ),
        (
            Window(format="epoch_milliseconds", resolution=timedelta(milliseconds=1)),
            {"start_date": "1772323200000", "end_date": "1772495999999"},
        ),
        (
            Window(format="%Y-%m-%dT%H:%M:%SZ", resolution=timedelta(seconds=1)),
            {"start_date": "2026-03-01T00:00:00Z", "end_date": "2026-03-02T23:59:59Z"},
        ),
    ],
)
def test_a_span_of_time_is_written_as_the_api_takes_it(
    window: Window, params: dict[str, str]
) -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    assert window.values(start, end) == params


@pytest.mark.parametrize(
    ("window", "values"),
    [
        (
            Window(params={"date": "{start},{end}", "period": "range", "n": 5}),
            {"date": "2026-03-01,2026-03-02", "period": "range", "n": 5},
        ),
        (
            Window(params={"q": '{"since": "{start}", "{until}": "{end}", "a": {}}'}),
            {"q": '{"since": "2026-03-01", "{until}": "2026-03-02", "a": {}}'},
        ),
        (
            Window(
                params={"json.a": "{start}", "json.b": [{"c": "{end}", "d": "<{end}>"}, None]},
                format="epoch_seconds",
            ),
            {"json.a": 1772323200, "json.b": [{"c": 1772496000, "d": "<1772496000>"}, None]},
        ),
        (
            Window(start_param="data.a", end_param="json.b", format="epoch_seconds"),
            {"data.a": "1772323200", "json.b": 1772496000},
        ),
        (
            Window(start_param="json.a", end_param="json.b", format="%Y%m%d"),
            {"json.a": "20260301", "json.b": "20260302"},
        ),
    ],
)
def test_a_span_of_time_is_written_into_any_place(window: Window, values: dict[str, Any]) -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    assert window.values(start, end) == values
    hash(window)


def test_the_places_of_a_window_are_those_that_depend_on_the_span() -> None:
    window = Window(params={"period": "range", "json.a[0]": "{start}", "json.a[1]": ["{end}"]})
    assert window.places == ("json.a[0]", "json.a[1]")
    assert window.names == ("period", "json.a[0]", "json.a[1]")


def test_a_day_on_which_clocks_change_is_asked_for_as_one_day() -> None:
    zone = ZoneInfo(BERLIN)
    start, end = datetime(2026, 3, 29, tzinfo=zone), datetime(2026, 3, 30, tzinfo=zone)
    assert Window(timezone=BERLIN).values(start, end) == {
        "start_date": "2026-03-29",
        "end_date": "2026-03-29",
    }
    in_utc = Window(format="%Y-%m-%dT%H:%MZ", end_is_inclusive=False).values(start, end)
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
    asked = [datetime.fromisoformat(moment) for moment in how.values(start, end).values()]
    assert asked[1] - asked[0] == timedelta(hours=25)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%dT%HZ",
        "%Y-%m-%dT%H:%MZ",
        "%Y-%m-%d %H:%M:%S.%f",
        "epoch_seconds",
        "epoch_milliseconds",
    ],
)
def test_the_inclusive_end_of_a_window_leaves_no_gap_before_the_start_of_the_next(
    form: str,
) -> None:
    first, second, third = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3))
    how = Window(format=form)
    assert how.values(first, second)["end_date"] == how.values(second, third)["start_date"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: window(start_param=" "), "`Window`: `start_param` cannot be ' '"),
        (lambda: window(end_param="start_date"), "start and end need a parameter each"),
        (lambda: window(format="%s"), "`format` cannot be '%s'"),
        (lambda: window(end_is_inclusive=1), "`end_is_inclusive` cannot be 1: give True or Fal"),
        (lambda: window(timezone=None), "`Window`: `timezone` cannot be None"),
        (lambda: window(as_text="no"), "`as_text` cannot be 'no': give True or False"),
        (lambda: window(start_param="json.a..b"), "`start_param` cannot be 'json.a..b': `a..b` is"),
        (lambda: window(end_param="params.start_date"), "start and end need a parameter each"),
        (lambda: window(params=["date"]), "give parameters by their places, such as {'date': "),
        (lambda: window(params={}), "no text in it has `{start}`"),
        (lambda: window(params={"date": "{begin},{end}"}), "no text in it has `{start}`"),
        (lambda: window(params={"headers.a b": "{start}{end}"}), "`a b` is no name of a header"),
        (lambda: window(params={"date": ["{start}", "{end}"]}), "`date` is no text or number"),
        (lambda: window(format="epoch_seconds", resolution=1), "give a span such as timedelta(mil"),
        (
            lambda: window(format="epoch_seconds", resolution=timedelta(0)),
            "`resolution` cannot be datetime.timedelta(0)",
        ),
        (
            lambda: window(resolution=timedelta(milliseconds=1)),
            "the `format` '%Y-%m-%d' cannot write an end that is that much earlier",
        ),
        (
            lambda: window(format="epoch_seconds", resolution=timedelta(milliseconds=1)),
            "give one that can, such as 'epoch_milliseconds'",
        ),
        (
            lambda: window(
                format="epoch_seconds",
                resolution=timedelta(seconds=1),
                end_is_inclusive=False,
            ),
            "it is of an inclusive end, and yours is exclusive",
        ),
        (
            lambda: window(start_param="from", params={"date": "{start},{end}"}),
            "it takes the place of `start_param` and `end_param`",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_the_remedy(make: Callable[[], Window], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("form", "zone", "is_unambiguous"),
    [
        ("%Y-%m-%d", "UTC", False),
        ("%Y-%m-%dT%H", "UTC", True),
        ("%Y-%m-%dT%H", BERLIN, False),
        ("%Y-%m-%dT%H%z", BERLIN, True),
        ("%Y-%m-%dT%H%%z", BERLIN, False),
    ],
)
def test_each_hour_is_written_in_its_own_way_with_an_offset_or_in_utc(
    form: str, zone: str, is_unambiguous: bool
) -> None:
    assert Window(format=form, timezone=zone).is_unambiguous is is_unambiguous


def days(start: date, end: date, zone: tzinfo = UTC) -> TimeWindow:
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
    assert days(date(2026, 3, 1), date(2026, 3, 3)).contains(value) is inside


def test_rows_of_the_next_span_come_only_without_a_resolution() -> None:
    span = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    midnight = "2026-03-02T00:00:00Z"
    inclusive = Window(format="epoch_milliseconds")
    exact = Window(format="epoch_milliseconds", resolution=timedelta(milliseconds=1))

    assert TimeWindow(*span, inclusive).reach.contains(midnight)
    assert not TimeWindow(*span, exact).reach.contains(midnight)


def test_days_of_another_time_zone_begin_there() -> None:
    one_day = days(date(2026, 3, 1), date(2026, 3, 2), ZoneInfo(BERLIN))
    assert one_day.contains("2026-02-28T23:00:00Z")
    assert not one_day.contains("2026-03-01T23:00:00Z")
    assert one_day.contains(date(2026, 3, 1))
    assert not one_day.contains(date(2026, 2, 28))


def test_a_key_of_an_object_in_a_body_is_filled_like_a_text() -> None:
    window = Window(params={"json.days": {"{start}": "{end}"}}, format="epoch_seconds")
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert window.values(start, end) == {"json.days": {"1767225600": 1767312000}}
