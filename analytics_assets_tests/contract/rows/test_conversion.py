"""Conversion of values that a column stores in another form than JSON has them."""

from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.conversion import ConversionError, RowConversion
from analytics_assets.contract.rows.numbers import ColumnDecimal
from analytics_assets.contract.rows.validation import RowValidator

KEYED = Contract("orders", primary_key=("id",))
LONG = Decimal("12345678901234567.89")
PRICE = {"data_type": "decimal", "precision": 5, "scale": 2}
DOUBLE = {"data_type": "double"}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (12.5, "12.5"),
        (0.1, "0.1"),
        (7, "7"),
        ("999.99", "999.99"),
        ("-1.50e1", "-15.0"),
        (Decimal("1.2300000"), "1.23"),
        (0, "0"),
        (0.0, "0"),
        (1e2, "100"),
    ],
)
def test_a_number_of_a_decimal_column_is_a_decimal_of_its_digits(value: Any, stored: str) -> None:
    [row] = [RowConversion(KEYED, {"price": PRICE})({"id": 1, "price": value})]

    assert row == {"id": 1, "price": Decimal(stored)}
    assert isinstance(row["price"], ColumnDecimal)


@pytest.mark.parametrize(
    "value",
    [1000, 1000.5, "1.001", 12.345, 10**400, Decimal("1E+999999999"), Decimal("1E-99999")],
)
def test_a_number_with_more_digits_than_its_column_is_refused(value: Any) -> None:
    with pytest.raises(ConversionError) as caught:
        RowConversion(KEYED, {"price": PRICE})({"id": 1, "price": value})

    assert str(caught.value) == (
        "`$.price`: a number with more digits than decimal(5, 2) has: 3 before the point and 2 "
        "after it"
    )


@pytest.mark.parametrize(
    ("hint", "fits", "reason"),
    [
        ({"data_type": "wei"}, 10**37, "a number with more digits than decimal(38, 0) has"),
        ({"data_type": "wei"}, 7, "a number with more digits than decimal(38, 0) has"),
        ({"data_type": "bigint", "precision": 16}, 32767, "an integer of more than 16 bits"),
        ({"data_type": "bigint", "precision": 10}, -32768, "an integer of more than 16 bits"),
        ({"data_type": "bigint", "precision": 16}, "70000", None),
        ({"data_type": "text", "precision": 4}, "abcd", "a text of more than 4 letters"),
        ({"data_type": "text", "precision": 4}, 12345, None),
    ],
)
def test_a_value_beyond_the_precision_of_its_column_is_refused(
    hint: Any, fits: Any, reason: str | None
) -> None:
    convert = RowConversion(KEYED, {"value": hint})
    assert convert({"value": fits})["value"] == fits
    beyond = {"wei": 1.5, "bigint": 70000, "text": "abcde"}[hint["data_type"]]
    with pytest.raises(ConversionError) as caught:
        convert({"value": beyond})
    assert str(caught.value).startswith(f"`$.value`: {reason or ''}")


def test_an_exponent_that_no_decimal_has_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"`\$\.price`: an exponent of more digits"):
        RowConversion(KEYED, {"price": PRICE})({"price": "1e99999999999999999999"})


def test_a_row_of_which_nothing_is_converted_is_the_very_row() -> None:
    row = {"id": 1, "price": None, "name": "a"}

    assert RowConversion(KEYED, {"price": PRICE})(row) is row
    assert RowConversion(KEYED, {})({"id": 1, "price": LONG})["price"] is LONG


def test_a_field_within_an_object_is_converted_by_the_name_of_its_column() -> None:
    convert = RowConversion(KEYED, {"cost__net_price": PRICE, "whole": {"data_type": "json"}})
    row = {"id": 1, "cost": {"netPrice": 1.5, "other": 1.5}, "whole": {"cost": {"netPrice": 1.5}}}

    assert convert(row) == row
    assert type(convert(row)["cost"]["netPrice"]) is ColumnDecimal
    assert type(convert(row)["cost"]["other"]) is float
    with pytest.raises(
        ConversionError, match=r"`\$\.cost\.netPrice`: Expected a number, got `str`"
    ):
        convert({"cost": {"netPrice": "free"}})


def test_a_field_is_converted_by_the_name_that_it_is_given() -> None:
    contract = Contract("orders", primary_key=("id",), rename={"cost": "price"})

    assert RowConversion(contract, {"price": PRICE})({"cost": 1.5}) == {"cost": Decimal("1.5")}


def test_numbers_that_a_double_holds_are_doubles_beside_decimals() -> None:
    row = {"price": 1, "rate": Decimal("0.10000000000000001"), "of": [{"rate": Decimal("0.5")}]}

    found = RowConversion(KEYED, {"price": PRICE})(row)

    assert found == {"price": Decimal(1), "rate": 0.1, "of": [{"rate": 0.5}]}


@pytest.mark.parametrize("nest", [lambda n: n, lambda n: [n], lambda n: {"of": n}])
@pytest.mark.parametrize("kind", ["double", "json", None])
def test_a_number_that_no_double_holds_rejects_its_row_anywhere_else(nest: Any, kind: Any) -> None:
    columns = (Column("id", "id", "bigint", False), Column("n", "n", kind or "text", True))
    contract = Contract("orders", columns if kind else columns[:1], ("id",))
    rows = [{"id": 1}, {"id": 2, "n": nest(LONG)}, {"id": 3}]

    page = RowValidator(contract).validate(rows)

    assert page.rows == [rows[0], rows[2]]
    assert page.rejected[0].row is rows[1]
    assert page.rejected[0].reason.startswith("`$.n")
    assert kind == "double" or "more digits than a double holds" in page.rejected[0].reason


def test_an_integer_of_thousands_of_digits_rejects_its_row() -> None:
    for contract in (KEYED, Contract("orders", (Column("n", "n", "bigint", True),), ("id",))):
        page = RowValidator(contract).validate([{"id": 1, "n": Decimal("9" * 5000)}])
        assert page.rows == []
        assert page.rejected[0].reason.startswith("`$.n`: ")


def test_the_entry_may_ask_for_the_nearest_double() -> None:
    row = {"id": 1, "rate": LONG}
    described = Column("rate", "rate", "double", True, takes_nearest=True)

    by_hint = RowValidator(KEYED, {"rate": DOUBLE}).validate([row])
    by_contract = RowValidator(Contract("orders", (described,))).validate([{"rate": LONG}])

    assert by_hint.rows == [{"id": 1, "rate": float(LONG)}]
    assert by_contract.rows == [{"rate": float(LONG)}]
    assert type(by_hint.rows[0]["rate"]) is float


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("bigint", "02", False),
        ("bigint", "2", True),
        ("date", 20260131, False),
        ("bigint", {"a": 1}, False),
        ("bigint", True, False),
        ("text", 5, True),
    ],
)
def test_a_part_of_the_key_must_fit_the_type_that_the_entry_gives(
    kind: str, value: Any, fits: bool
) -> None:
    page = RowValidator(KEYED, {"id": {"data_type": kind}}).validate([{"id": value}])

    assert (
        not page.rejected
        if fits
        else page.rejected[0].reason.startswith(f"`$.id`: Expected `{kind}`, got `")
    )
