"""Columns of a contract compared with those of a table."""

from collections.abc import Mapping
from typing import Any

import pytest

from analytics_assets.contract.contract import Contract
from analytics_assets.warehouse.errors import StoredTypeError
from analytics_assets.warehouse.evolution.comparison import Comparison, compare_columns
from analytics_assets.warehouse.evolution.widening import is_widening

CONTRACT = Contract("orders", primary_key=("id",))
DECIMAL = {"data_type": "decimal", "precision": 10, "scale": 2}


def compared(
    declared: Mapping[str, Any], stored: Mapping[str, Any], can_widen: bool = True
) -> Comparison:
    """Compare columns that are given as types, or as hints of dlt."""
    hints, columns = (
        {
            name: {"name": name, **({"data_type": kind} if isinstance(kind, str) else kind)}
            for name, kind in each.items()
        }
        for each in (declared, stored)
    )
    return compare_columns(
        CONTRACT,
        hints,
        columns,
        elsewhere=(),
        keys={"id"},
        widens=lambda _, old, new: can_widen and is_widening(old, new),
    )


def test_a_column_of_the_declared_type_and_a_new_one_are_as_declared() -> None:
    found = compared({"n": "bigint", "new": "text"}, {"n": "bigint"})

    assert (found.widened, found.kept) == ({}, {})
    assert found.contract.table.is_as_declared(["n", "new"])


def test_a_widened_column_is_as_declared() -> None:
    found = compared({"n": "double"}, {"n": "bigint"})

    assert found.widened == {"n": "bigint to double"}
    assert found.contract.table.is_as_declared(["n"])


def test_a_kept_column_has_its_stored_type_in_place_of_the_declared_one() -> None:
    declared: Any = {"n": {"name": "n", "data_type": "bigint", "nullable": True}}
    table = compared(declared, {"n": "text"}).contract.table

    assert not table.is_as_declared(["n"])
    assert table.hints(declared) == {"n": {"name": "n", "data_type": "text", "nullable": True}}


def test_a_decimal_that_holds_all_digits_keeps_its_own() -> None:
    declared: Any = {"n": "bigint", "m": {"data_type": "decimal", "precision": 4, "scale": 1}}
    table = compared(declared, {"n": "decimal", "m": DECIMAL}).contract.table

    assert table.kept == {"n": {"name": "n", "data_type": "decimal"}}
    assert table.is_as_declared(["m"])


def test_columns_that_nobody_declares_keep_the_type_of_the_table() -> None:
    table = compared({"id": "bigint"}, {"id": "bigint", "n": DECIMAL, "m": {}}).contract.table

    assert table.undeclared == {"n": {"name": "n", **DECIMAL}}
    assert table.hints({}) == table.undeclared
    without_type: Any = {"n": {"hard_delete": True}}
    assert table.hints(without_type) == {"n": {"name": "n", **DECIMAL, "hard_delete": True}}


@pytest.mark.parametrize(
    ("declared", "stored", "types"),
    [
        ("double", DECIMAL, "decimal(10, 2), in which values of double would be altered"),
        ({**DECIMAL, "scale": 3}, DECIMAL, "values of decimal(10, 3) would be altered"),
        ("bigint", DECIMAL, "values of bigint would be altered"),
        ("binary", "text", "values of binary would be altered"),
        ("text", "binary", "values of text would be altered"),
    ],
)
def test_a_type_in_which_values_would_be_cut_is_refused(
    declared: Any, stored: Any, types: str
) -> None:
    with pytest.raises(StoredTypeError) as refused:
        compared({"n": declared}, {"n": stored})

    assert str(refused.value).startswith("orders: its column `n` is stored as ")
    assert types in str(refused.value)


@pytest.mark.parametrize(
    ("declared", "stored"), [("bool", "bigint"), ("text", "json"), ("double", "bool")]
)
def test_a_key_that_could_take_another_value_is_refused(declared: str, stored: str) -> None:
    with pytest.raises(StoredTypeError, match="could overwrite the rows of others"):
        compared({"id": declared}, {"id": stored})


@pytest.mark.parametrize(
    ("declared", "stored"), [("text", "bigint"), ("bigint", "text"), ("date", "timestamp")]
)
def test_a_key_with_one_form_of_each_value_is_accepted(declared: str, stored: str) -> None:
    found = compared({"id": declared}, {"id": stored})

    assert [*found.widened, *found.kept] == ["id"]


def test_nothing_is_widened_in_a_warehouse_that_cannot() -> None:
    found = compared({"n": "double"}, {"n": "bigint"}, can_widen=False)

    assert found.widened == {}
    assert found.kept == {"n": "stays bigint; values of double that do not fit are in n__v_double"}
