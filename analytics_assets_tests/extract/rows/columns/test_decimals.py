"""Numbers reach their columns with the digits that the API wrote, or reject their row."""

import json
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets_tests.extract.rows.reading import MERGED, load, read_rows
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import Answer, in_turn, orders

ID = Column("id", "id", "bigint", nullable=False)
KEYED = Contract("orders", primary_key=("id",))
PRICED = Contract("orders", (ID, Column("price", "price", "decimal", nullable=True)), ("id",))
RATED = Contract("orders", (ID, Column("rate", "rate", "double", nullable=True)), ("id",))
PRICE = {"data_type": "decimal", "precision": 38, "scale": 19}
HINTED = orders({**MERGED, "columns": {"price": PRICE}})
DIGITS = ["12345678901234567.89", "0.1", "-0.1234567890123456789", "0.10000000000000001", '"7"']
TOO_MANY = ["12345678901234567890.5", "0.12345678901234567890123", "1" + "0" * 5000, '"a"']


def answers(*rows: str) -> Any:
    """A page of rows in JSON, and the end."""
    total = f'"total": {len(rows)}'
    body = f'{{"data": [{", ".join(rows)}], {total}}}'
    return in_turn(Answer(body.encode()), Answer(f'{{"data": [], {total}}}'.encode()))


def priced(values: list[str]) -> Any:
    return answers(*[f'{{"id": {n}, "price": {value}}}' for n, value in enumerate(values)])


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("contract", [KEYED, PRICED], ids=["hint", "contract"])
def test_a_decimal_column_holds_the_digits_of_the_api(contract: Contract) -> None:
    pipeline = load(priced([*DIGITS, *TOO_MANY]), HINTED, contract=contract)

    stored = [row["price"] for row in table_values(pipeline, "orders")]
    assert stored == [Decimal(text.strip('"')) for text in DIGITS]
    rejected = table_values(pipeline, "rejected_rows", "offset")
    assert [row["offset"] for row in rejected] == [5, 6, 7, 8]
    assert [row["reason"] for row in rejected] == [
        *[
            "`$.price`: a number with more digits than decimal(38, 19) has: 19 before the point "
            "and 19 after it"
        ]
        * 3,
        "`$.price`: Expected a number, got `str`",
    ]
    assert [row["row"] for row in rejected[:2]] == [
        f'{{"id": {n}, "price": {TOO_MANY[n - 5]}}}' for n in (5, 6)
    ]


@pytest.mark.parametrize("contract", [KEYED, RATED], ids=["inferred", "contract"])
def test_a_number_that_no_double_holds_rejects_its_row_alone(contract: Contract) -> None:
    rates = ["0.5", "12345678901234567.89", "0.10000000000000001", "1e400", "9" * 5000]
    rows = [f'{{"id": {n}, "rate": {rate}}}' for n, rate in enumerate(rates)]

    found = read_rows(answers(*rows), contract=contract)

    assert found.valid == [{"id": 0, "rate": 0.5}, {"id": 2, "rate": 0.1}]
    assert [row["offset"] for row in found.rejected] == [1, 3, 4]
    assert found.rejected[0]["row"] == '{"id": 1, "rate": 12345678901234567.89}'


def test_digits_beyond_a_double_in_an_object_that_stays_json_reject_its_row() -> None:
    contract = Contract("orders", (ID, Column("of", "of", "json", nullable=True)), ("id",))
    rows = ['{"id": 1, "of": {"a": 0.12345678901234567890}}', '{"id": 2, "of": {"a": 0.5}}']

    found = read_rows(answers(*rows), contract=contract)

    assert found.valid == [{"id": 2, "of": {"a": 0.5}}]
    assert found.rejected[0]["reason"].startswith("`$.of.a`: a number of more digits")


def test_an_entry_that_says_double_takes_the_nearest() -> None:
    entry = orders({**MERGED, "columns": {"rate": {"data_type": "double"}}})
    row = '{"id": 1, "rate": 0.33333333333333333333}'

    rate = Column("rate", "rate", "double", nullable=True, takes_nearest=True)
    for contract in (KEYED, Contract("orders", (ID, rate), ("id",))):
        found = read_rows(answers(row), entry, contract=contract)
        assert found.valid == [{"id": 1, "rate": 1 / 3}]


def test_a_total_of_thousands_of_digits_is_none() -> None:
    body = json.dumps({"data": [{"id": 1}]})[:-1] + f', "total": {"9" * 5000}}}'
    end = Answer(b'{"data": []}')

    assert read_rows(in_turn(Answer(body.encode()), end, end, end)).valid == [{"id": 1}]
