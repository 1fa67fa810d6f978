"""Rejected rows, and the loads that settle them, alike on DuckDB and on PostgreSQL."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.warehouse.queries.rejections import (
    RejectedRow,
    Rejections,
    in_column,
    settled_rows,
)
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.tables import opened_with

TIME = "timestamp with time zone"
COLUMNS = (
    f'resource varchar, rejected_at {TIME}, "offset" bigint, reason varchar, "row" varchar, '
    "_dlt_load_id varchar, _dlt_id varchar"
)
KEYED = Contract("orders", primary_key=("id",))
BY_DAY = Contract(
    "orders",
    (
        Column("no", "number", "bigint", nullable=False),
        Column("day", "day", "date", nullable=False),
    ),
    primary_key=("no", "day"),
    rename={"no": "number"},
)
FIRST, SECOND = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def rejected(
    name: str, row: Any, reason: str = "bad", load: str = "1", at: datetime = FIRST
) -> str:
    """A row of `rejected_rows` in SQL, without a column of the API."""
    return f"('orders', '{at}', 0, '{reason}', '{json.dumps(row)}', '{load}', '{name}')"


@contextmanager
def opened(warehouse: Warehouse, *rows: str, **tables: tuple[str, str]) -> Iterator[Tables]:
    """Open a warehouse with some rejected rows of `orders`, and one of another resource."""
    other = rejected("z", {"id": 1}, "of another resource").replace("'orders'", "'users'")
    with opened_with(
        warehouse, rejected_rows=(COLUMNS, ", ".join([*rows, other])), **tables
    ) as found:
        yield found


def of_orders(tables: Tables) -> Rejections:
    return tables.rejections(orders_api().resources["orders"])


def ids(tables: Tables) -> list[str]:
    return sorted(row.id for row in of_orders(tables).rows())


def test_reasons_are_counted_most_frequent_first_with_their_times(warehouse: Warehouse) -> None:
    with opened(
        warehouse,
        rejected("a", 1, "too long", at=SECOND),
        rejected("b", 2, "no key"),
        rejected("c", 3, "too long"),
    ) as tables:
        found = of_orders(tables).reasons()

    assert [(each.text, each.rows) for each in found] == [("too long", 2), ("no key", 1)]
    assert (found[0].oldest, found[0].newest, found[0].example) == (FIRST, SECOND, "1")


def test_the_rows_with_a_part_of_a_reason_are_read_in_order(warehouse: Warehouse) -> None:
    with opened(
        warehouse,
        rejected("b", {"id": 2}, "no key", load="2"),
        rejected("a", {"id": 1}, "too long"),
        rejected("c", {"id": 3}, "bad"),
    ) as tables:
        found = of_orders(tables).rows("O")
        counted = of_orders(tables).reasons("LONG")

    assert found == [
        RejectedRow("a", "1", "too long", '{"id": 1}'),
        RejectedRow("b", "2", "no key", '{"id": 2}'),
    ]
    assert [(each.text, each.rows) for each in counted] == [("too long", 1)]


def test_rows_that_steps_have_altered_are_known(duckdb_warehouse: Warehouse) -> None:
    columns = COLUMNS + ", after_steps boolean"
    rows = [rejected(name, 1)[:-1] for name in ("a", "b", "c")]
    marks = ("true", "false", "NULL")
    values = ", ".join(f"{row}, {mark})" for row, mark in zip(rows, marks, strict=True))
    with opened_with(duckdb_warehouse, rejected_rows=(columns, values)) as tables:
        found = of_orders(tables).rows()

    assert {row.id: row.after_steps for row in found} == {"a": True, "b": False, "c": False}


def test_a_warehouse_that_never_rejected_a_row_has_none(duckdb_warehouse: Warehouse) -> None:
    with opened_with(duckdb_warehouse) as tables:
        assert not of_orders(tables).reasons()
        assert not of_orders(tables).rows()
        assert of_orders(tables).settle("orders", KEYED) == 0


def test_of_two_apis_with_a_resource_of_one_name_each_has_its_rows(warehouse: Warehouse) -> None:
    rows = "('shop', 'orders', 'a'), ('market', 'orders', 'b'), (NULL, 'orders', 'c')"
    columns = (
        f"api varchar, resource varchar, _dlt_id varchar, rejected_at {TIME}, "
        '"offset" bigint, reason varchar, "row" varchar, _dlt_load_id varchar'
    )
    rows = rows.replace(")", ", now(), 0, '', '', '1')")
    with opened_with(warehouse, rejected_rows=(columns, rows)) as tables:
        assert ids(tables) == ["a", "c"]


def test_rows_are_deleted_and_reasons_changed_of_this_resource_alone(warehouse: Warehouse) -> None:
    rows = [rejected(name, {"id": 1}) for name in ("a", "b", "c")]
    with opened(warehouse, *rows) as tables:
        of_orders(tables).delete(["a", "c"])
        of_orders(tables).change_reason(["b"], "another")

        assert ids(tables) == ["b"]
        assert [each.text for each in of_orders(tables).reasons()] == ["another"]
        assert tables.row_count("rejected_rows") == 2


def test_a_later_load_of_the_key_settles_a_row(warehouse: Warehouse) -> None:
    table = ("id bigint, _dlt_load_id varchar", "(1, '2'), (2, '1'), (3, '0')")
    rows = [rejected(f"row {number}", {"id": number}) for number in (1, 2, 3, 4)]
    with opened(warehouse, *rows, orders=table) as tables:
        assert of_orders(tables).settle("orders", KEYED) == 1

        assert ids(tables) == ["row 2", "row 3", "row 4"]


def test_keys_of_several_columns_are_those_of_one_row(warehouse: Warehouse) -> None:
    table = (
        "number bigint, day date, _dlt_load_id varchar",
        "(1, '2026-01-01', '2'), (2, '2026-01-02', '2')",
    )
    rows = [
        rejected("stored", {"no": 1, "day": "2026-01-01"}),
        rejected("mixed", {"no": 1, "day": "2026-01-02"}),
    ]
    with opened(warehouse, *rows, orders=table) as tables:
        of_orders(tables).settle("orders", BY_DAY)

        assert ids(tables) == ["mixed"]


@pytest.mark.parametrize(
    ("column", "stored", "key"),
    [
        ("varchar", "'7'", 7),
        ("bigint", "7", "7"),
        ("double precision", "7.5", 7.5),
        ("numeric(38, 9)", "7.5", 7.5),
        ("boolean", "true", True),
        ("date", "'2026-01-31'", "2026-01-31"),
        ("time", "'01:30:00'", "01:30:00"),
        (TIME, "'2026-01-31T01:00:00Z'", "2026-01-31T02:00:00+01:00"),
    ],
)
def test_a_key_is_found_in_a_column_of_each_type(
    warehouse: Warehouse, column: str, stored: str, key: Any
) -> None:
    table = (f"id {column}, _dlt_load_id varchar", f"({stored}, '2')")
    with opened(warehouse, rejected("a", {"id": key}), orders=table) as tables:
        assert of_orders(tables).settle("orders", KEYED) == 1


def test_a_key_is_found_however_the_api_writes_it(duckdb_warehouse: Warehouse) -> None:
    table = ("id double, _dlt_load_id varchar", "(7, '2')")
    rows = [rejected("a", {"id": 7}), rejected("b", {"id": 7.0})]
    with opened(duckdb_warehouse, *rows, orders=table) as tables:
        assert of_orders(tables).settle("orders", KEYED) == 2


def test_a_row_without_a_table_to_be_in_stays(warehouse: Warehouse) -> None:
    with opened(warehouse, rejected("a", {"id": 1})) as tables:
        assert of_orders(tables).settle("orders", KEYED) == 0


@pytest.mark.parametrize(
    ("value", "data_type", "stored"),
    [
        ("x", "bigint", None),
        ("007", "bigint", None),
        (7.0, "bigint", 7),
        (7.5, "bigint", None),
        (7, "text", "7"),
        ("2026-01-31", "date", date(2026, 1, 31)),
        ("no day", "date", None),
        (7.5, "decimal", Decimal("7.5")),
        ("x", "decimal", None),
        (1, "bool", None),
        ("{}", "json", None),
    ],
)
def test_values_are_compared_as_columns_hold_them(value: Any, data_type: str, stored: Any) -> None:
    assert in_column(value, data_type) == stored


A, B = RejectedRow("a", "1", "bad", "{}"), RejectedRow("b", "2", "bad", "{}")


def test_a_row_that_is_rejected_again_counts_once() -> None:
    assert settled_rows([A, B], {}, {}) == ["a"]
    assert settled_rows([A, B._replace(text="[]")], {}, {}) == []
    assert settled_rows([A, B._replace(text="[]")], {"a": "7", "b": "7"}, {}) == ["a"]


def test_rows_of_one_load_all_count() -> None:
    assert settled_rows([A, B._replace(load="1")], {"a": "7", "b": "7"}, {}) == []


def test_a_row_is_settled_by_a_later_load_of_its_key_alone() -> None:
    assert settled_rows([A], {"a": "7"}, {"7": "2"}) == ["a"]
    assert settled_rows([A], {"a": "7"}, {"7": "1"}) == []
    assert settled_rows([A], {"a": "7"}, {"8": "2"}) == []


def test_rows_without_a_key_are_settled_by_a_complete_read_of_all_rows() -> None:
    unlike = B._replace(text="[]")

    assert settled_rows([A, unlike], {}, {}, whole=["2"]) == ["a"]
    assert settled_rows([A, unlike], {"a": "7"}, {}, whole=["2"]) == []
