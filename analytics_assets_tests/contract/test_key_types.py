"""Keys that differ in what the API sent do not fall together in the table."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.validation import RowCheck
from analytics_assets.sandbox import Sandbox
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import point_at
from analytics_assets_tests.support.loading import api_with, load, metadata_of, table_rows

UNDESCRIBED = Contract("orders", primary_key=("shop", "id"))


def reasons(check: RowCheck, *keys: Any) -> list[str]:
    checked = check.check([{"shop": "a", "id": key} for key in keys])
    assert len(checked.rows) + len(checked.rejected) == len(keys)
    return [rejection.reason for rejection in checked.rejected]


def timed(kind: DataType, key: Sequence[str] = ("shop", "id")) -> RowCheck:
    columns = (Column("shop", "shop", "text", False), Column("id", "id", kind, False))
    return RowCheck(Contract("orders", columns, tuple(key)))


@pytest.mark.parametrize(
    ("first", "other", "before", "got"),
    [
        (1, "1", "`number`", "`string`"),
        (1.5, "1.5", "`number`", "`string`"),
        ("1", 1, "`string`", "`number`"),
        (True, 1, "`boolean`", "`number`"),
        (0, False, "`number`", "`boolean`"),
        ("1", ["1"], "`string`", "`array`"),
    ],
)
def test_a_key_of_another_type_than_the_first_ones_is_rejected(
    first: Any, other: Any, before: str, got: str
) -> None:
    said = f"`$.id`: Expected {before} as in the rows before, got {got}; a table may merge both"
    assert reasons(RowCheck(UNDESCRIBED), first, other, first) == [said]
    over_pages = RowCheck(UNDESCRIBED)
    assert reasons(over_pages, first) == []
    assert reasons(over_pages, other) == [said]
    assert reasons(over_pages, first, other) == [said]


def test_the_first_row_that_is_loaded_says_the_type() -> None:
    check = RowCheck(UNDESCRIBED)
    assert len(reasons(check, None, "\0", 1, "2", 3)) == 3
    assert reasons(check, 4, 5.0) == []


def test_a_type_that_the_entry_or_the_contract_says_is_not_guessed() -> None:
    assert reasons(RowCheck(UNDESCRIBED, hinted={"shop", "id"}), 1, "a") == []
    columns = (Column("id", "id", "text", False), Column("shop", "shop", "json", False))
    described = RowCheck(Contract("orders", columns, ("id", "shop")))
    rows = [{"id": "1", "shop": shop} for shop in (1, "1")]
    assert described.check(rows).rejected == []


@pytest.mark.parametrize(
    ("kind", "fits", "below"),
    [
        ("timestamp", "2025-01-01T00:00:00.123456000Z", "2025-01-01T00:00:00.1234560001Z"),
        ("time", "10:00:00.1234560", "10:00:00.1234561"),
    ],
)
def test_a_time_below_the_microsecond_is_no_key_but_may_be_a_value(
    kind: DataType, fits: str, below: str
) -> None:
    assert reasons(timed(kind), fits, below, fits) == [
        "`$.id`: digits below the microsecond, by which a table cannot tell keys apart"
    ]
    assert reasons(timed(kind, key=("shop",)), fits, below) == []


def test_numbers_and_texts_as_keys_are_not_merged_into_one_row(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "name": "number"}, {"id": "1", "name": "text"}]
    with Sandbox(extra_rows={"orders": rows}) as sandbox:
        point_at(sandbox, monkeypatch)
        result = load(instance, api=api_with("orders"))
    assert result.success
    assert metadata_of(result, "orders", api_with("orders"))["rows_rejected"] == 1
    assert table_rows(warehouse, "orders") == rows[:1]
