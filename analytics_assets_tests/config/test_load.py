"""Loads: values that are refused, with the remedy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Incremental, Load, Partitioned
from analytics_assets.config.times.window import Window

START = date(2026, 1, 1)
BERLIN = "Europe/Berlin"


def partitioned(**parts: Any) -> Partitioned:
    return Partitioned(**{"start": START, **parts})


def incremental(**parts: Any) -> Incremental:
    return Incremental(**{"initial_value": "2025-01-01T00:00:00Z", **parts})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: partitioned(by="hour"), "`Partitioned`: `by` cannot be 'hour': give 'day',"),
        (lambda: partitioned(start="2026-01-01"), "`start` cannot be '2026-01-01': give a date"),
        (lambda: partitioned(start=datetime(2026, 1, 1)), "give a date such as date(2026, 1, 1)"),
        (lambda: partitioned(start=date(1, 1, 1)), "give a date of the years 1000 to 9989"),
        (lambda: partitioned(start=date(9999, 12, 31)), "give a date of the years 1000 to 9989"),
        (lambda: partitioned(by="week"), "give datetime.date(2025, 12, 29) or a later one"),
        (
            lambda: partitioned(by="month", start=date(2026, 1, 2)),
            "give datetime.date(2026, 1, 1) or a later one",
        ),
        (lambda: partitioned(lookback=-1), "`lookback` cannot be -1: give a whole number of at"),
        (lambda: partitioned(lookback=True), "`lookback` cannot be True"),
        (lambda: partitioned(lookback=timedelta(days=3)), "`lookback` cannot be"),
        (lambda: partitioned(longest_window=0), "`longest_window` cannot be 0"),
        (lambda: partitioned(longest_request=0), "`longest_request` cannot be 0"),
        (lambda: partitioned(longest_request="1"), "`longest_request` cannot be '1'"),
        (lambda: partitioned(window="start_date"), "`window` cannot be 'start_date': give a Win"),
        (lambda: partitioned(include_unfinished="no"), "`include_unfinished` cannot be 'no'"),
        (
            lambda: partitioned(include_unfinished=True, lookback=0),
            "rows that come after the last load of an unfinished day need a lookback of at least 1",
        ),
        (lambda: partitioned(timezone="Berlin"), "`timezone` cannot be 'Berlin': give an IANA"),
        (lambda: partitioned(max_drop=50), "`max_drop` cannot be 50: give a share from 0 to 1"),
        (lambda: incremental(param=""), "`Incremental`: `param` cannot be ''"),
        (lambda: incremental(field=None), "`field` cannot be None"),
        (lambda: incremental(as_text=1), "`as_text` cannot be 1: give True or False"),
        (lambda: incremental(param="json.a[x]"), "`param` cannot be 'json.a[x]': `a[x]` is no"),
        (lambda: incremental(params={"q": "{end}"}), "no text in it has `{start}`"),
        (lambda: incremental(param="a", params={"q": "{start}"}), "it takes the place of `param`"),
        (lambda: incremental(initial_value="yesterday"), "give a date or time such as '2025-01"),
        (lambda: incremental(initial_value="0001-01-01"), "give a date or time such as '2025-01"),
        (lambda: incremental(lookback=timedelta(days=-1)), "give a timedelta that is not negat"),
        (lambda: incremental(format="epoch_hours"), "`format` cannot be 'epoch_hours': give 'ep"),
        (lambda: incremental(initial_value=1735689600), "give a date or time such as '2025-01-01"),
        (lambda: incremental(initial_value="1735689600"), "give a date or time such as '2025-01"),
        (
            lambda: incremental(initial_value="soon", format="epoch_seconds"),
            "or one in the format 'epoch_seconds'",
        ),
        (lambda: incremental(lookback=3), "`lookback` cannot be 3"),
    ],
)
def test_a_wrong_value_is_refused_with_the_remedy(make: Callable[[], Load], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "run", "request_"),
    [
        ({}, 186, 31),
        ({"longest_request": 1}, 186, 1),
        ({"longest_window": 92}, 92, None),
        ({"longest_window": 92, "longest_request": 1}, 92, 1),
    ],
)
def test_a_run_is_half_a_year_in_requests_of_a_month_unless_a_window_is_given(
    given: dict[str, int], run: int, request_: int | None
) -> None:
    load = partitioned(**given)
    assert (load.longest_window, load.longest_request) == (run, request_)
    assert replace(load, lookback=1).longest_request == request_


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


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        ({}, "2025-01-01T00:00:00Z"),
        ({"format": "epoch_seconds"}, "1735689600"),
        ({"format": "epoch_milliseconds", "initial_value": 1735689600000}, "1735689600000"),
        ({"format": "epoch_seconds", "initial_value": "1735689600"}, "1735689600"),
        ({"format": "%Y%m%d", "initial_value": "20250101"}, "20250101"),
        ({"format": "%d/%m/%Y", "initial_value": "2025-01-01"}, "01/01/2025"),
        ({"format": "%d/%m/%Y", "initial_value": "01/01/2025"}, "01/01/2025"),
    ],
)
def test_an_initial_value_is_in_iso_format_or_in_that_of_the_parameter(
    parts: dict[str, Any], sent: str
) -> None:
    load = incremental(**parts)

    assert load.start == datetime(2025, 1, 1, tzinfo=UTC)
    assert load.written(load.start, None) == sent
    assert load.read(sent, None) == load.start


@pytest.mark.parametrize(
    ("parts", "values"),
    [
        ({"param": "json.a"}, {"json.a": 1735689600}),
        ({"param": "data.a"}, {"data.a": "1735689600"}),
        ({"param": "json.a", "as_text": True}, {"json.a": "1735689600"}),
        (
            {"params": {"q": "at:>{start}", "json.a[0]": ["{start}", "<{start}"], "sort": "at"}},
            {"q": "at:>1735689600", "json.a[0]": [1735689600, "<1735689600"], "sort": "at"},
        ),
    ],
)
def test_a_time_is_written_into_any_place(parts: Any, values: Any) -> None:
    load = incremental(format="epoch_seconds", **parts)
    assert load.values(load.start, None) == values
    assert load.read(load.written(load.start, None), None) == load.start


def test_without_a_format_of_its_own_the_parameter_has_that_of_the_field() -> None:
    assert incremental().written(incremental().start, "epoch_seconds") == "1735689600"
    iso = incremental(format="%Y-%m-%d")
    assert iso.written(iso.start, "epoch_seconds") == "2025-01-01"
