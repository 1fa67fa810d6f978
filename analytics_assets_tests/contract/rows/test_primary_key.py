"""Primary keys that differ in the API's rows and would be one in the table: rejected."""

from collections.abc import Sequence
from typing import Any

import pytest

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.validation import RowValidator

UNDESCRIBED = Contract("orders", primary_key=("shop", "id"))

TEXT = {"data_type": "text"}


def reasons(validator: RowValidator, *keys: Any) -> list[str]:
    page = validator.validate([{"shop": "a", "id": key} for key in keys])
    assert len(page.rows) + len(page.rejected) == len(keys)
    return [rejection.reason for rejection in page.rejected]


def timed(kind: DataType, key: Sequence[str] = ("shop", "id")) -> RowValidator:
    columns = (Column("shop", "shop", "text", False), Column("id", "id", kind, False))
    return RowValidator(Contract("orders", columns, tuple(key)))


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
    reason = f"`$.id`: Expected {before} as in the rows before, got {got}; a table may merge both"
    assert reasons(RowValidator(UNDESCRIBED), first, other, first) == [reason]
    over_pages = RowValidator(UNDESCRIBED)
    assert reasons(over_pages, first) == []
    assert reasons(over_pages, other) == [reason]
    assert reasons(over_pages, first, other) == [reason]


def test_the_first_valid_row_sets_the_type() -> None:
    validator = RowValidator(UNDESCRIBED)
    assert len(reasons(validator, None, "\0", 1, "2", 3)) == 3
    assert reasons(validator, 4, 5.0) == []


def test_a_key_that_the_entry_or_the_contract_types_is_not_compared() -> None:
    assert reasons(RowValidator(UNDESCRIBED, hints={"shop": TEXT, "id": TEXT}), 1, "a") == []
    columns = (Column("id", "id", "text", False), Column("shop", "shop", "json", False))
    described = RowValidator(Contract("orders", columns, ("id", "shop")))
    rows = [{"id": "1", "shop": shop} for shop in (1, "1")]
    assert described.validate(rows).rejected == []


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
