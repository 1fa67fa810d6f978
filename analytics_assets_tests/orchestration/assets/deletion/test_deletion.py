"""Deletion of rows that a load did not bring: by what it proves, and never of all rows."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from analytics_assets.config.load import Partitioned
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.orchestration.assets.deletion import (
    RowsNotDroppedError,
    drop_other_rows,
    prune,
)
from analytics_assets.orchestration.metadata.names import (
    COMPLETE,
    LOAD_ID,
    ROW_COUNT,
    ROWS_DROPPED,
    ROWS_OUTSIDE,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_TO_PRUNE,
)
from analytics_assets.warehouse.errors import SpanUnknownError
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.tables import opened_with

COLUMNS = "id bigint, day date, _dlt_id varchar, _dlt_load_id varchar"
TAGS = ("_dlt_id varchar, _dlt_parent_id varchar", "('t1', 'r1'), ('t2', 'r2')")
LOAD = {
    LOAD_ID: "now",
    COMPLETE: True,
    ROWS_RECEIVED: 3,
    ROWS_REJECTED: 0,
    ROWS_OUTSIDE: 0,
}
DAYS = ["2025-07-05", "2025-07-06"]


def orders(**policy: Any) -> Resource:
    return resource_of(orders_api(**policy), "orders")


def by_day(date_column: str = "day") -> Resource:
    return orders(load=Partitioned(start=date(2025, 7, 1)), date_column=date_column)


def rows(before: int = 0, now: int = 0, day: str = DAYS[0]) -> str:
    """Return rows of two loads in SQL, numbered from 1."""
    loads = ["before"] * before + ["now"] * now
    return ", ".join(f"({n}, '{day}', 'r{n}', '{load}')" for n, load in enumerate(loads, 1))


def ids(tables: Tables) -> int:
    return tables.row_count("orders")


def test_rows_of_other_loads_are_dropped_with_their_child_rows(
    duckdb_warehouse: Warehouse,
) -> None:
    made = {"orders": (COLUMNS, rows(before=1, now=2)), "orders__tags": TAGS}
    with opened_with(duckdb_warehouse, **made) as tables:
        assert drop_other_rows(tables, orders(), LOAD, ()) == {ROWS_DROPPED: 1}
        assert tables.rows_of_loads("orders", ["now"]) == ids(tables) == 2
        assert tables.row_count("orders__tags") == 1


def test_rows_of_partitions_that_were_not_chosen_stay(duckdb_warehouse: Warehouse) -> None:
    other_day = rows(before=2, day="2025-07-07")
    made = ", ".join([rows(before=1, now=1), other_day])
    with opened_with(duckdb_warehouse, orders=(COLUMNS, made)) as tables:
        assert drop_other_rows(tables, by_day(), LOAD, DAYS) == {ROWS_DROPPED: 1}
        assert ids(tables) == 3


def test_a_table_that_does_not_exist_has_nothing_to_drop(duckdb_warehouse: Warehouse) -> None:
    with opened_with(duckdb_warehouse) as tables:
        assert drop_other_rows(tables, orders(), LOAD, ()) == {ROWS_DROPPED: 0}
        nothing = {ROWS_TO_PRUNE: 0, ROWS_PRUNED: 0, ROW_COUNT: 0}
        assert prune(tables, orders(prune=True), LOAD) == nothing


def test_not_all_rows_are_dropped(duckdb_warehouse: Warehouse) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, rows(before=2))) as tables:
        with pytest.raises(RowsNotDroppedError) as refused:
            drop_other_rows(tables, by_day(), LOAD, DAYS)
        assert str(refused.value) == (
            "`refresh: drop_data` would leave no row of 2025-07-05 to 2025-07-06 in `orders`, as "
            "the API gave none. The 2 rows in it stay."
        )
        assert ids(tables) == 2


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        ({COMPLETE: False}, "the read was not complete"),
        ({ROWS_REJECTED: 1}, "1 of 3 rows was rejected"),
        ({ROWS_OUTSIDE: 1}, "1 of 3 rows belongs to other days than the request"),
    ],
)
def test_nothing_is_dropped_that_the_api_may_still_have(
    load: Mapping[str, Any], reason: str, duckdb_warehouse: Warehouse
) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, rows(before=1, now=2))) as tables:
        with pytest.raises(RowsNotDroppedError) as refused:
            drop_other_rows(tables, orders(), {**LOAD, **load}, ())
        assert str(refused.value).startswith(
            "`refresh: drop_data` would delete 1 row of `orders` that the API may still have, as "
            f"{reason}. What is in the table stays, beside the rows of this load. "
        )
        assert ids(tables) == 3


def test_partitions_whose_rows_are_unknown_in_the_table_stay(duckdb_warehouse: Warehouse) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, rows(before=1, now=2))) as tables:
        with pytest.raises(SpanUnknownError, match="`id` of `orders` is neither a date nor a time"):
            drop_other_rows(tables, by_day(date_column="id"), LOAD, DAYS)
        assert ids(tables) == 3


def test_rows_that_the_api_no_longer_has_are_pruned(duckdb_warehouse: Warehouse) -> None:
    made = {"orders": (COLUMNS, rows(before=2, now=18)), "orders__tags": TAGS}
    with opened_with(duckdb_warehouse, **made) as tables:
        counts = prune(tables, orders(prune=True), LOAD)
        assert counts == {ROWS_TO_PRUNE: 2, ROWS_PRUNED: 2, ROW_COUNT: 18}
        assert ids(tables) == 18
        assert tables.row_count("orders__tags") == 0


@pytest.mark.parametrize(
    ("before", "load"),
    [(3, {}), (20, {}), (1, {ROWS_REJECTED: 1}), (1, {COMPLETE: False})],
)
def test_too_many_or_unproven_rows_are_not_pruned(
    before: int, load: Mapping[str, Any], duckdb_warehouse: Warehouse
) -> None:
    made = rows(before=before, now=20 - before)
    with opened_with(duckdb_warehouse, orders=(COLUMNS, made)) as tables:
        counts = prune(tables, orders(prune=True), {**LOAD, **load})
        assert counts == {ROWS_TO_PRUNE: before, ROWS_PRUNED: 0, ROW_COUNT: 20}
        assert ids(tables) == 20
