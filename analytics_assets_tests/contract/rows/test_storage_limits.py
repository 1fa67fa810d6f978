"""Values that a JSON parser accepts and no table can store: their rows are rejected."""

from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.validation import RowValidator

NAN, INFINITY = float("nan"), float("inf")
NUL = "holds a NUL character, which PostgreSQL cannot store"
UNTYPED = Contract("orders")
TYPED = Contract("orders", (Column("x", "x", "text", nullable=True),))


def reason(contract: Contract, row: Any) -> str | None:
    """The reason for which a row is rejected; None if it is valid."""
    rejected = RowValidator(contract).validate([{}, row, {}]).rejected
    assert [rejection.position for rejection in rejected] in ([], [1])
    return rejected[0].reason if rejected else None


@pytest.mark.parametrize("contract", [UNTYPED, TYPED])
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"y": NAN}, "`$.y`: not a finite number"),
        ({"y": {"a": [1, {"b": -INFINITY}]}}, "`$.y.a[1].b`: not a finite number"),
        ({"y": {"a": ["b\0"]}}, f"`$.y.a[0]`: {NUL}"),
        ({"y": {"a\0": 1}}, f"`$.y`: the name of a field {NUL}"),
        ({"y": [2**64]}, "`$.y[0]`: an integer of more than 64 bits"),
        (
            {"y": {"a": [2**63]}},
            "`$.y.a[0]`: an integer above 9223372036854775807, which no bigint holds",
        ),
        (
            {"y": ["0001-01-01T00:00:00+01:00"]},
            "`$.y[0]`: in UTC not a time of the years 1 to 9999",
        ),
        (
            {"\ud800": 1},
            "`$`: the name of a field holds half of a surrogate pair, which is no character",
        ),
    ],
)
def test_a_value_that_cannot_be_stored_is_found_anywhere_in_a_row(
    contract: Contract, row: Any, expected: str
) -> None:
    assert reason(contract, row) == expected


def test_a_text_that_only_begins_like_a_time_out_of_range_is_valid() -> None:
    row = {
        "y": "0001-a+b",
        "z": ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T12:00:00-05:00"],
    }

    assert reason(UNTYPED, row) is None
    assert reason(TYPED, {"x": "9999-12-31T23:59:59-05:00"}) is None


def test_a_column_that_the_entry_types_accepts_longer_integers() -> None:
    rows = [{"y": 2**63}]

    assert RowValidator(UNTYPED).validate(rows).rejected
    assert RowValidator(UNTYPED, hints={"y": {"data_type": "decimal"}}).validate(rows).rows == rows


def test_nan_is_found_in_a_column_with_nulls() -> None:
    rows = [{"y": None}, {"y": 1.5}, {"y": NAN}]

    page = RowValidator(UNTYPED).validate(rows)

    assert [rejection.position for rejection in page.rejected] == [2]


def test_a_row_that_is_nested_too_deeply_to_be_written_is_rejected() -> None:
    row: Any = 1
    for _ in range(400):
        row = [row]

    assert "nested too deeply" in str(reason(UNTYPED, {"y": row}))
