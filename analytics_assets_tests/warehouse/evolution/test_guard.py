"""Tables held against a load in the warehouse: widened in its transaction, or refused."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.errors import find_cause
from analytics_assets.warehouse.errors import StoredTypeError, WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, table_values

Row = dict[str, Any]
MOMENT = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
HALF = datetime(2026, 1, 1, 23, 30, 0, 500_000, UTC)
# a stored type, values, a wider type, and the values in it
WIDENED: list[tuple[str, Sequence[Any], str, Sequence[Any]]] = [
    ("bigint", (5, -7, 2**53), "double", (5.0, -7.0, 2.0**53)),
    ("bigint", (5, 2**63 - 1, -(2**63)), "decimal", (5, 2**63 - 1, -(2**63))),
    ("bigint", (5, 0, -(2**63)), "text", ("5", "0", str(-(2**63)))),
    ("double", (5.0, 0.1, 1e15), "text", ("5", "0.1", "1000000000000000")),
    (
        "double",
        (1e16, 1.5e-7, 1234567890123456.0),
        "text",
        ("1e+16", "1.5e-07", "1234567890123456"),
    ),
    ("bool", (True, False, None), "text", ("true", "false", None)),
    ("date", (date(2026, 1, 1),) * 3, "text", ("2026-01-01",) * 3),
    ("date", (date(2026, 1, 1),) * 3, "timestamp", (datetime(2026, 1, 1, tzinfo=UTC),) * 3),
    (
        "timestamp",
        (MOMENT, HALF, None),
        "text",
        ("2026-01-01T23:30:00Z", "2026-01-01T23:30:00.5Z", None),
    ),
    ("time", (time(7), time(7, 0, 0, 500_000), None), "text", ("07:00:00", "07:00:00.5", None)),
    ("decimal", (Decimal("5.50"), Decimal(100), Decimal("-0.1")), "text", ("5.5", "100", "-0.1")),
]


def store(
    warehouse: Warehouse,
    rows: list[Row],
    disposition: Any = "merge",
    **types: Any,
) -> None:
    """Load rows with columns of these types, into a table that another load may have made."""
    with warehouse.loading("shop", table="orders") as pipeline:
        pipeline.run(
            rows,
            table_name="orders",
            primary_key="id",
            write_disposition=disposition,
            columns={name: {"data_type": kind} for name, kind in types.items()},
            loader_file_format="parquet",
        )


def stored(warehouse: Warehouse) -> list[Row]:
    return table_values(warehouse.pipeline("test_reader"), "orders")


def types_of(warehouse: Warehouse) -> dict[str, Any]:
    with warehouse.open() as tables:
        columns = tables.columns("orders")
        return {name: column["data_type"] for name, column in columns.items()}


def refusal_of(warehouse: Warehouse, rows: list[Row], **types: Any) -> str:
    with pytest.raises(PipelineStepFailed) as failed:
        store(warehouse, rows, **types)
    refusal = find_cause(failed.value, StoredTypeError)
    assert refusal
    return str(refusal)


@pytest.mark.parametrize(
    "strategy", ["delete-insert", "upsert", "scd2", "insert-only", "append", "replace"]
)
def test_each_disposition_and_strategy_writes_into_the_wider_column(
    warehouse: Warehouse, strategy: str
) -> None:
    plain = strategy in ("append", "replace")
    disposition: Any = strategy if plain else {"disposition": "merge", "strategy": strategy}
    store(warehouse, [{"id": 1, "n": 5}], disposition, n="bigint")
    store(warehouse, [{"id": 2, "n": 5.5}], disposition, n="double")

    expected = [5.5] if strategy == "replace" else [5.0, 5.5]
    assert [row["n"] for row in stored(warehouse)] == expected


@pytest.mark.parametrize("disposition", ["merge", "append"])
def test_stored_values_stay_the_same_in_a_wider_column(
    warehouse: Warehouse, disposition: Literal["merge", "append"]
) -> None:
    names = [f"c{number}" for number in range(len(WIDENED))]
    before: Any = {name: kind for name, (kind, *_) in zip(names, WIDENED, strict=True)}
    after: Any = {name: kind for name, (*_, kind, _) in zip(names, WIDENED, strict=True)}
    columns = [(values, expected) for _, values, _, expected in WIDENED]
    rows = [
        {"id": row, **{name: each[0][row] for name, each in zip(names, columns, strict=True)}}
        for row in range(3)
    ]
    store(warehouse, rows, disposition, **before)
    store(warehouse, [{"id": 9}], disposition, **after)

    found = stored(warehouse)[:3]
    for name, (_, expected) in zip(names, columns, strict=True):
        assert [row[name] for row in found] == list(expected)
    assert types_of(warehouse).items() >= after.items()


def test_a_key_is_widened_with_the_rows_that_have_it(warehouse: Warehouse) -> None:
    store(warehouse, [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], id="bigint")
    store(warehouse, [{"id": "2", "v": "c"}, {"id": "02", "v": "d"}], id="text")

    assert [(row["id"], row["v"]) for row in stored(warehouse)] == [
        ("02", "d"),
        ("1", "a"),
        ("2", "c"),
    ]


def test_a_column_of_a_child_table_is_widened(warehouse: Warehouse) -> None:
    store(warehouse, [{"id": 1, "items": [{"n": "5"}]}])
    change(
        warehouse,
        "orders__items",
        "ALTER TABLE {table} ALTER n TYPE bigint USING CAST(n AS bigint)",
    )
    store(warehouse, [{"id": 2, "items": [{"n": "b"}]}])

    rows = table_values(warehouse.pipeline("test_reader"), "orders__items", order="n")
    assert [row["n"] for row in rows] == ["5", "b"]


def test_a_column_of_a_child_table_in_which_values_would_be_lost_is_refused(
    warehouse: Warehouse,
) -> None:
    store(warehouse, [{"id": 1, "items": [{"n": 5}]}])
    change(warehouse, "orders__items", "ALTER TABLE {table} ALTER COLUMN n TYPE date USING NULL")

    assert refusal_of(warehouse, [{"id": 2, "items": [{"n": 7}]}]) == (
        "orders__items: its column `n` is stored as date, in which values of bigint would be "
        "altered or lost, and it cannot be widened to that type. Nothing was changed. Give it the "
        "type bigint in the warehouse, or drop the table."
    )


def test_integers_that_a_double_would_round_are_not_widened(warehouse: Warehouse) -> None:
    store(warehouse, [{"id": 1, "n": 2**53 + 1}], n="bigint")

    message = refusal_of(warehouse, [{"id": 2, "n": 5.5}], n="double")
    assert message == (
        "orders: its column `n` is stored as bigint, in which values of double would be altered or "
        "lost, and it cannot be widened to that type. Nothing was changed. Keep the stored type by "
        '"columns": {"n": {"data_type": "bigint"}} in the entry, or widen it by "text" in that '
        "place, or load into another table (`table_name`)."
    )
    assert stored(warehouse) == [{"id": 1, "n": 2**53 + 1}]


def test_a_failed_load_leaves_the_old_type(warehouse: Warehouse) -> None:
    store(warehouse, [{"id": 1, "n": 5, "m": 1}], n="bigint", m="bigint")
    change(warehouse, "orders", "ALTER TABLE {table} ALTER COLUMN m SET NOT NULL")

    with pytest.raises(WarehouseError, match="takes no null"):
        store(warehouse, [{"id": 2, "n": 5.5, "m": None}], n="double", m="bigint")
    assert types_of(warehouse)["n"] == "bigint"
    assert stored(warehouse) == [{"id": 1, "n": 5, "m": 1}]
