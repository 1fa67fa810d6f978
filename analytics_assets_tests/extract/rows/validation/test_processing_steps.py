"""The contract is asked after the entry's own `processing_steps`, of what they have changed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.rows.rejected_rows import RowsRejectedAgain
from analytics_assets.extract.source import kept_rows_source, rest_api_source
from analytics_assets_tests.extract.rows.reading import MERGED, Rows, read_rows
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    attempted,
    orders,
    paged,
    rows,
    serving,
)

Row = dict[str, Any]
CONTRACT = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("price", "price", "bigint", nullable=False, required=True),
        Column("day", "day", "date", nullable=True),
        Column("at", "at", "timestamp", nullable=True),
        Column("text", "text", "text", nullable=True),
    ),
    ("id",),
    time_formats={"at": "epoch_seconds"},
)
GOOD = {"id": 1, "price": 5, "day": "2026-01-31", "at": 1_769_902_215}
NO_NUMBER = "`$.price`: Expected `int`, got `str`"


def processed(found: list[Any], *steps: Any, contract: Contract | None = CONTRACT) -> Rows:
    entry = orders({**MERGED, "processing_steps": list(steps)}, paginator="single_page")
    return read_rows(paged(found), entry, contract=contract)


def reasons(found: Rows) -> list[tuple[int, str]]:
    return [(each["offset"], each["reason"]) for each in found.rejected]


def sent(found: Rows) -> list[Any]:
    return [json.loads(each["row"]) for each in found.rejected]


def test_a_row_that_breaks_the_contract_fits_once_a_step_has_mended_the_field() -> None:
    def as_number(row: Row) -> Row:
        return {**row, "price": int(row["price"])}

    found = processed([GOOD, {**GOOD, "id": 2, "price": "7"}], {"map": as_number})

    assert [(row["id"], row["price"]) for row in found.valid] == [(1, 5), (2, 7)]
    assert found.rejected == []


def test_a_field_that_no_step_touches_is_asked_for_as_the_api_sent_it() -> None:
    broken = {**GOOD, "id": 2, "price": "7"}

    found = processed([broken, GOOD], {"map": lambda row: {**row, "text": "new"}})

    assert [row["text"] for row in found.valid] == ["new"]
    assert reasons(found) == [(0, NO_NUMBER)]
    assert sent(found) == [broken]
    assert not found.rejected[0]["after_steps"]


def test_a_required_field_that_the_api_leaves_out_is_missing_whatever_steps_add() -> None:
    without = {name: GOOD[name] for name in GOOD if name != "price"}

    found = processed([without], {"map": lambda row: {**row, "text": "new"}})

    assert reasons(found) == [(0, "`$.price`: required, but missing")]


@pytest.mark.parametrize("good", [[GOOD], [GOOD, {"id": 2, "price": "free"}]])
def test_steps_may_drop_and_rename_fields_of_the_contract(good: list[Row]) -> None:
    def renamed(row: Row) -> Row:
        return {"id": row["id"], "cost": row["price"]}

    found = processed(good, {"map": renamed})

    assert found.valid == [{"id": row["id"], "cost": row["price"]} for row in good]
    assert found.rejected == []


def test_a_value_that_a_step_makes_must_fit_its_column() -> None:
    found = processed([GOOD, {**GOOD, "id": 2}], {"map": lambda row: {**row, "price": 12.5}})

    expected = "`$.price`: Expected `bigint`, got `double` by `processing_steps`"
    assert reasons(found) == [(0, expected), (1, expected)]
    assert [each["after_steps"] for each in found.rejected] == [True, True]


def test_a_value_that_its_column_holds_unaltered_fits_whatever_its_type() -> None:
    def texts(row: Row) -> Row:
        return {**row, "price": str(row["price"]), "text": 7, "at": row["at"].isoformat()}

    found = processed([GOOD], {"map": texts})

    assert found.rejected == []
    assert (found.valid[0]["price"], found.valid[0]["text"]) == ("5", 7)


def test_rows_that_are_no_objects_may_become_some() -> None:
    names = ("id", "price")
    steps = {"map": lambda row: dict(zip(names, row, strict=True))}

    assert processed([[1, 5], [2, 7]], steps).valid == [
        {"id": 1, "price": 5},
        {"id": 2, "price": 7},
    ]
    assert processed([[1, 5], [2]], steps, contract=None).valid == [{"id": 1, "price": 5}]


def test_steps_get_times_and_decimals_as_they_are_loaded_also_of_a_row_that_does_not_fit() -> None:
    found = processed(
        [GOOD, {**GOOD, "id": 2, "price": "7"}],
        {"map": lambda row: {**row, "price": int(row["price"]), "text": str(row["at"].year)}},
    )

    assert [row["text"] for row in found.valid] == ["2026", "2026"]


def test_a_step_that_fails_for_a_row_that_does_not_fit_rejects_that_row_alone() -> None:
    found = processed(
        [{**GOOD, "price": "free"}, GOOD], {"map": lambda row: {**row, "half": row["price"] / 2}}
    )

    assert [row["half"] for row in found.valid] == [2.5]
    assert reasons(found) == [(0, NO_NUMBER)]


def test_a_step_that_fails_for_a_row_that_fits_fails_the_load_with_its_number() -> None:
    def half(row: Row) -> Row:
        return {**row, "half": row["gone"] / 2}

    steps = [{"map": lambda row: row}, {"map": half}]

    found = attempted(paged(rows(1, 2)), {"processing_steps": steps})

    line = half.__code__.co_firstlineno + 1
    assert found.error == (
        "orders: step 2 of `processing_steps` raised KeyError for a row that fits the contract, in "
        f"`half` at test_processing_steps.py:{line}. Correct the function."
    )
    assert found.rows == []


@pytest.mark.parametrize(
    "left_out", [{"filter": lambda row: False}, {"yield_map": lambda row: iter(())}]
)
def test_a_row_that_does_not_fit_is_left_out_only_once_it_does(left_out: Any) -> None:
    broken = {**GOOD, "id": 2, "price": "7"}

    def as_number(row: Row) -> Row:
        return {**row, "price": int(row["price"])}

    assert reasons(processed([GOOD, broken], left_out)) == [(1, NO_NUMBER)]
    assert reasons(processed([GOOD, broken], left_out, {"map": as_number})) == [(1, NO_NUMBER)]
    assert reasons(processed([GOOD, broken], {"map": as_number}, left_out)) == []


def test_rows_keep_their_order_where_some_do_not_fit() -> None:
    prices: list[Any] = [1, "x", 2, "3", 4, "y", 5, 6]
    found = [{**GOOD, "id": number, "price": price} for number, price in enumerate(prices)]

    def as_number(row: Row) -> Iterator[Row]:
        price = int(row["price"])
        yield {**row, "price": price}

    result = processed(found, {"yield_map": as_number})

    assert [row["id"] for row in result.valid] == [0, 2, 3, 4, 6, 7]
    assert [offset for offset, _ in reasons(result)] == [1, 5]


def test_a_row_is_rejected_as_it_was_sent_also_if_a_step_changes_it_in_place() -> None:
    broken = {**GOOD, "price": "free", "tags": [1]}

    def in_place(row: Row) -> Row:
        row["tags"].append(2)
        row["text"] = "new"
        return row

    assert sent(processed([broken], {"map": in_place})) == [broken]


@pytest.mark.parametrize("value", [{}, 0.5, None, [1], True])
def test_steps_that_leave_no_object_have_their_row_rejected(value: Any) -> None:
    found = processed([GOOD], {"map": lambda _row: value})

    if value == {}:
        assert reasons(found) == [(0, "`$.id`: missing primary key")]
    else:
        kind = type(value).__name__
        assert reasons(found) == [
            (0, f"`$`: Expected `object`, got `{kind}` by `processing_steps`")
        ]


def retried(kept: list[Any], after_steps: bool, *steps: Any) -> tuple[list[Any], dict[int, str]]:
    entry = orders({**MERGED, "processing_steps": list(steps)})
    config = {"client": {"base_url": "http://127.0.0.1:1"}, "resources": [entry]}
    again = RowsRejectedAgain("shop", "orders")
    source = kept_rows_source(config, "shop", CONTRACT, kept, again, "shop_orders", after_steps)
    return list(source), again.reasons


def test_a_retry_applies_the_steps_of_today_to_rows_as_they_were_sent() -> None:
    kept = [{**GOOD, "id": 1, "price": "7"}, {**GOOD, "id": 2, "price": "free"}]

    def as_number(row: Row) -> list[Row]:
        return [{**row, "price": int(row["price"]), "part": part} for part in (1, 2)]

    found, again = retried(kept, False, {"yield_map": as_number})

    assert [(row["id"], row["part"]) for row in found] == [(1, 1), (1, 2)]
    assert again == {1: NO_NUMBER}


def test_a_retry_asks_rows_that_steps_have_made_for_what_their_columns_hold() -> None:
    kept = [{"id": 1, "price": 12.5}, {"id": 2, "price": 5}, {"id": 3}, {"price": 5}]

    found, again = retried(kept, True, {"map": lambda row: {**row, "price": 0}})

    assert found == [{"id": 2, "price": 5}, {"id": 3}]
    assert again == {
        0: "`$.price`: Expected `bigint`, got `double` by `processing_steps`",
        3: "`$.id`: missing primary key",
    }


def test_the_fields_of_an_object_are_asked_for_like_others() -> None:
    nested = replace(
        CONTRACT,
        columns=(*CONTRACT.columns[:1], Column("meta", "meta", "json", nullable=True)),
    )
    steps = {"map": lambda row: {**row, "meta": str(row["meta"])}}

    assert processed([{"id": 1, "meta": {"a": 1}}], steps, contract=nested).rejected == []


LINES = {
    "name": "lines",
    "primary_key": "line",
    "endpoint": {
        "path": "orders/{resources.orders.ref}/lines",
        "data_selector": "data",
        "paginator": "single_page",
    },
}


def test_children_are_read_from_rows_as_steps_have_made_them_whether_or_not_they_fit() -> None:
    def answer(asked: Request) -> Answer:
        if asked.path == "/orders":
            return Answer({"data": [GOOD, {**GOOD, "id": 2, "price": "7"}]})
        return Answer({"data": [{"line": asked.path}]})

    steps = [{"map": lambda row: {**row, "price": int(row["price"]), "ref": f"r{row['id']}"}}]
    parent = orders({"processing_steps": steps}, paginator="single_page")
    with serving(answer) as server:
        config = {"client": {"base_url": server.base_url}, "resources": [parent, LINES]}
        source = rest_api_source(
            *(config, "shop", connect(config["client"], "shop")),  # type: ignore[arg-type]
            contracts={"orders": CONTRACT},
        )
        lines = [row["line"] for row in source.with_resources("lines")]
        both = list(source.with_resources("orders", "lines"))

    assert lines == ["/orders/r1/lines", "/orders/r2/lines"]
    assert [row["price"] for row in both if "price" in row] == [5, 7]
    assert [row["line"] for row in both if "line" in row] == lines
