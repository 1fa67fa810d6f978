"""The parts of a window: halved at partitions, and written into a request where they belong."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import requests

from analytics_assets.config.load import Partitioned
from analytics_assets.config.times.window import TimeWindow, Window
from analytics_assets.extract.paging.window_parts import (
    SampledWindowError,
    WindowParts,
    read_in_halves,
)
from analytics_assets.orchestration.partitions.definition import time_window_of

CLOCK = "%Y-%m-%dT%H:%M:%SZ"


def days(count: int, **window: Any) -> WindowParts:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    bounds = [start + timedelta(days=number) for number in range(count + 1)]
    return WindowParts([TimeWindow(*pair, Window(**window)) for pair in pairwise(bounds)])


def names(window: WindowParts) -> list[str]:
    return [window.name, *(name for half in window.halves for name in [half.name])]


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (2, ["2026-01-01 to 2026-01-02", "2026-01-01", "2026-01-02"]),
        (3, ["2026-01-01 to 2026-01-03", "2026-01-01", "2026-01-02 to 2026-01-03"]),
    ],
)
def test_halves_are_whole_days(count: int, found: list[str]) -> None:
    assert names(days(count)) == found


def test_weeks_and_months_are_not_divided_as_their_rows_are_no_sums_of_days() -> None:
    load = Partitioned(by="month", start=date(2026, 1, 1))
    months = WindowParts([time_window_of(load, [key]) for key in ("2026-01", "2026-02")])

    assert names(months) == [
        "2026-01-01 to 2026-02-28",
        "2026-01-01 to 2026-01-31",
        "2026-02-01 to 2026-02-28",
    ]
    assert months.is_divisible
    assert not months.halves[1].is_divisible


def test_windows_that_share_the_moment_of_their_end_are_not_divided() -> None:
    assert not days(2, format=CLOCK).is_divisible
    assert days(2, format=CLOCK, end_is_inclusive=False).is_divisible
    assert days(2, format=CLOCK, resolution=timedelta(seconds=1)).is_divisible


def test_a_half_is_written_into_a_copy_of_the_request() -> None:
    window = days(4, start_param="json.ranges[0].from", end_param="headers.X-To")
    body = {"ranges": [{"from": "2026-01-01"}], "metrics": ["views"]}
    first = requests.Request("POST", "https://any", json=body, headers={"x-to": "2026-01-04"})

    second = window.halves[1].request(first)

    assert second.json == {"ranges": [{"from": "2026-01-03"}], "metrics": ["views"]}
    assert second.headers == {"x-to": "2026-01-04"}
    assert body["ranges"] == [{"from": "2026-01-01"}]
    assert window.request(first) is first


def test_rows_come_in_the_order_of_days_and_sampled_windows_are_reported() -> None:
    halved: list[str] = []

    def read(window: WindowParts) -> Any:
        if len(window.parts) > 2:
            raise SampledWindowError
        yield window.name

    found = list(read_in_halves(days(4), read, lambda window: halved.append(window.name)))

    assert found == ["2026-01-01 to 2026-01-02", "2026-01-03 to 2026-01-04"]
    assert halved == ["2026-01-01 to 2026-01-04"]


def test_pieces_have_as_many_parts_as_one_request_may_ask_for() -> None:
    window = replace(days(5), longest=2)

    assert [piece.name[-2:] for piece in window.pieces] == ["02", "04", "05"]
    assert [piece.is_first for piece in window.pieces] == [True, False, False]
    assert not any(piece.is_whole for piece in window.pieces)
    assert replace(days(2), longest=2).pieces == [replace(days(2), longest=2)]


def test_a_piece_that_is_sampled_is_halved_only_where_the_policy_says_so() -> None:
    assert replace(days(5), longest=2).pieces[0].is_divisible
    assert not replace(days(5), longest=2, is_halved=False).pieces[0].is_divisible
