"""The incremental cursor: the start of a read, how it advances, and that it drops no row."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analytics_assets.config.load import Incremental
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.incremental.cursor_values import CursorValues
from analytics_assets_tests.extract.incremental.shop import (
    DAY,
    INITIAL,
    KEYED,
    LOAD,
    Shop,
    changed,
    error_of,
    typed,
)
from analytics_assets_tests.extract.rows.reading import MERGED
from analytics_assets_tests.support.paged_server import Answer, Request, orders, paged, row, serving


def test_the_lookback_does_not_go_beyond_the_initial_value() -> None:
    shop = Shop([changed(3)])
    load = Incremental(param="since", field="at", initial_value=INITIAL, lookback=30 * DAY)

    assert shop.read(load) == shop.read(load) == [INITIAL]


def test_a_lookback_of_all_time_begins_at_the_initial_value() -> None:
    load = Incremental(param="since", field="at", initial_value=INITIAL, lookback=timedelta.max)

    assert Shop([changed(3)]).read(load) == [INITIAL]


@pytest.mark.parametrize(
    ("initial", "sent"),
    [
        ("2026-01-01", "2026-01-04"),
        ("20260101", "20260104"),
        ("2026-01-01T00:00:00Z", "2026-01-04T10:20:30Z"),
        ("2026-01-01T00:00:00.000Z", "2026-01-04T10:20:30.456Z"),
        ("2026-01-01T00:00:00+02:00", "2026-01-04T12:20:30+02:00"),
        ("2026-01-01T00:00:00", "2026-01-04T10:20:30"),
        ("2026-01-01T00:00", "2026-01-04T10:20"),
    ],
)
def test_a_start_is_sent_in_the_format_of_the_initial_value_and_never_later_than_it_is(
    initial: str, sent: str
) -> None:
    shop = Shop([row(1, at="2026-01-05T10:20:30.456789Z")])
    load = Incremental(param="since", field="at", initial_value=initial, lookback=DAY)

    assert shop.read(load) == [initial]
    assert shop.read(load) == [sent]


@pytest.mark.parametrize(
    ("field", "param", "initial", "sent"),
    [
        ("epoch_seconds", None, INITIAL, ["1767225600", "1767522030"]),
        ("epoch_seconds", "epoch_milliseconds", INITIAL, ["1767225600000", "1767522030000"]),
        ("epoch_seconds", "epoch_seconds", "1767225600", ["1767225600", "1767522030"]),
        ("epoch_seconds", "%Y-%m-%d", INITIAL, ["2026-01-01", "2026-01-04"]),
        ("%Y%m%d%H%M%S", None, INITIAL, ["20260101000000", "20260104102030"]),
    ],
)
def test_a_cursor_reads_and_sends_times_in_stated_formats(
    field: str, param: str | None, initial: str, sent: list[str]
) -> None:
    at = {"epoch_seconds": 1_767_608_430, "%Y%m%d%H%M%S": 20260105102030}[field]
    shop = Shop([row(1, at=at)], replace(KEYED, time_formats={"at": field}))
    load = Incremental(param="since", field="at", initial_value=initial, format=param, lookback=DAY)

    assert [*shop.read(load), *shop.read(load)] == sent
    assert shop.stored == "2026-01-05T10:20:30.000000Z"
    assert shop.metrics["rows_without_cursor"] == 0


def test_a_cursor_that_is_a_number_without_a_format_is_refused_with_the_remedy() -> None:
    error = error_of(Shop([row(1, at=1_767_608_430)]))

    assert error.startswith("orders: `at` is a number, which may be seconds, milliseconds or a dat")
    assert '"time_formats": {"at": "epoch_seconds"}' in error


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-05T01:00:00+03:00", "2026-01-04T23:00:00Z"),
        ("2026-01-04T23:00:00Z", "2026-01-04T22:00:00.5Z"),
        ("2026-01-04T23:00:00Z", "2026-01-04"),
    ],
)
def test_the_newest_is_the_latest_time_however_times_are_written(times: tuple[Any, Any]) -> None:
    shop = Shop([row(number, at=time) for number, time in enumerate(times)])
    shop.honours_since = False

    shop.read()

    assert shop.stored == "2026-01-04T23:00:00.000000Z"


def test_rows_at_the_boundary_are_read_again_and_new_ones_too() -> None:
    load = Incremental(param="since", field="at", initial_value=INITIAL, lookback=timedelta(0))
    shop = Shop([changed(3), changed(5)])
    shop.read(load)
    shop.rows = [changed(3), changed(5, more="restated"), {**changed(5), "id": 6}]

    assert shop.read(load) == ["2026-01-05T00:00:00Z"]
    assert shop.rows_read == 2


@pytest.mark.parametrize("contract", [KEYED, typed()])
def test_rows_older_than_the_start_are_kept_and_counted(contract: Contract) -> None:
    shop = Shop([changed(9)], contract)
    shop.read()
    shop.rows, shop.honours_since = [changed(2), changed(3), changed(9)], False

    shop.read()

    assert shop.rows_read == 3
    assert shop.metrics["rows_before_start"] == 2
    assert shop.stored == "2026-01-09T00:00:00.000000Z"


@pytest.mark.parametrize("contract", [KEYED, typed()])
def test_rows_without_a_time_are_kept_and_counted(contract: Contract) -> None:
    shop = Shop([row(1), row(2, at=None), changed(3)], contract)

    shop.read()

    assert shop.rows_read == 3
    assert shop.metrics["rows_without_cursor"] == 2
    assert shop.stored == "2026-01-03T00:00:00.000000Z"


@pytest.mark.parametrize("contract", [KEYED, typed()])
def test_a_time_in_the_future_does_not_stop_later_reads(contract: Contract) -> None:
    shop = Shop([changed(3), row(4, at="2999-01-01T00:00:00Z")], contract)

    shop.read()

    assert shop.rows_read == 2
    assert shop.metrics["rows_yet_to_come"] == 1
    assert shop.read() == ["2026-01-02T00:00:00Z"]


def test_the_cursor_does_not_move_back() -> None:
    shop = Shop([changed(9)])
    shop.read()
    shop.rows = []
    shop.read()
    assert shop.stored == "2026-01-09T00:00:00.000000Z"
    shop.rows, shop.honours_since = [changed(3)], False
    shop.read()
    assert shop.stored == "2026-01-09T00:00:00.000000Z"
    assert shop.metrics["cursor_before"] == shop.metrics["cursor_after"]


def test_a_rejected_row_advances_the_cursor_as_it_is_in_rejected_rows() -> None:
    shop = Shop([changed(3), {"text": "no key", "at": "2026-01-05T00:00:00Z"}])

    shop.read()

    assert shop.rows_read == 2
    assert "rejected_rows" in shop.pipeline.default_schema.tables
    assert shop.stored == "2026-01-05T00:00:00.000000Z"


@pytest.mark.parametrize("contract", [KEYED, typed()])
def test_a_time_without_a_zone_is_refused_where_the_initial_value_has_one(
    contract: Contract,
) -> None:
    shop = Shop([changed(3), changed(4), row(1, at="2026-01-05T10:00:00")], contract)

    error = error_of(shop)

    assert "orders: `at` is '2026-01-05T10:00:00', which has no time zone" in error
    without = Incremental(param="since", field="at", initial_value="2026-01-01T00:00:00")
    shop.honours_since = False
    assert shop.read(without) == ["2026-01-01T00:00:00"]


def test_the_time_may_be_within_an_object() -> None:
    shop = Shop([row(1, meta={"changed": "2026-01-05T00:00:00Z"}), row(2)])
    shop.honours_since = False
    load = Incremental(param="since", field="meta.changed", initial_value=INITIAL, lookback=DAY)

    shop.read(load)

    assert shop.metrics["rows_without_cursor"] == 1
    assert shop.metrics["cursor_after"] == "2026-01-05T00:00:00+00:00"


@pytest.mark.parametrize(
    ("contract", "form"),
    [
        (typed(), "2026-01-{:02}T00:00:00Z"),
        (typed(column="changed_at"), "2026-01-{:02}T00:00:00+00:00"),
        (typed("date"), "2026-01-{:02}"),
        (typed("text"), "2026-01-{:02}T00:00:00Z"),
        (KEYED, "2026-01-{:02}T00:00:00Z"),
        (KEYED, "2026-01-{:02}"),
        (Contract("orders", typed().columns[:2], ("id",)), "2026-01-{:02}T00:00:00Z"),
    ],
)
def test_pages_that_go_straight_into_columns_advance_the_cursor_as_others_do(
    monkeypatch: pytest.MonkeyPatch, contract: Contract, form: str
) -> None:
    in_tables: list[int] = []
    add = CursorValues.add

    def watched(self: CursorValues, item: Any) -> None:
        in_tables.append(getattr(item, "num_rows", 0))
        add(self, item)

    monkeypatch.setattr(CursorValues, "add", watched)
    rows = [row(number, at=form.format(number)) for number in range(2, 29)]
    newest_in_the_middle = [*rows[:10], *reversed(rows[10:])]
    shop = Shop(newest_in_the_middle, contract)

    shop.read()

    assert sum(in_tables) > 20
    assert shop.rows_read == 27
    assert shop.stored == "2026-01-28T00:00:00.000000Z"
    assert shop.read() == ["2026-01-27T00:00:00Z"]


def test_each_row_of_a_parent_is_read_from_the_same_start() -> None:
    customers = [row(number) for number in range(6)]
    child = {
        "name": "visits",
        "primary_key": "id",
        "endpoint": {
            "path": "/visits/{resources.customers.id}",
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 2},
        },
        **MERGED,
    }
    parent = orders({"name": "customers", **MERGED}, path="/customers")
    shop = Shop([], Contract("visits", primary_key=("id",)))

    def answer(asked: Request) -> Answer:
        if asked.path == "/customers":
            return paged(customers)(asked)
        number = int(asked.path.rpartition("/")[2])
        return paged([row(number, at=f"2026-01-{20 - number:02}T00:00:00Z")])(asked)

    with serving(answer) as server:
        shop.run(server, [parent, child], {"visits": Cursor(LOAD, shop.contract)})

    assert {asked.query["since"] for asked in shop.requests} == {INITIAL}
    assert shop.rows_read == 6
    assert shop.stored == "2026-01-20T00:00:00.000000Z"
