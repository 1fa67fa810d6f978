"""Rejected rows as JSON, and the keys by which later rows replace them."""

import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.rejected_row import RowKeys, row_of, text_of

TYPED = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("day", "day", "date", nullable=False),
        Column("price", "price", "double", nullable=True),
    ),
    primary_key=("id", "day"),
)
UNTYPED = Contract("orders", primary_key=("id",))


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "note": "Zürich 🚲", "tags": ["a", None, True], "more": {"size": 1.25}},
        {"count": 2**64, "negative": -(10**400)},
        {"note": "before\0after", "name\0": 1},
        {"half": "\ud83d", "\udc00": 1},
        17,
        "a row",
        None,
        [1, 2],
    ],
    ids=["plain", "long integers", "NUL", "surrogates", "number", "text", "null", "list"],
)
def test_a_row_is_the_same_after_its_text_was_stored(row: Any) -> None:
    text = text_of(row)

    assert row_of(text) == row
    assert text.isascii()
    assert "\0" not in text


def test_what_is_no_number_in_json_stays_what_it_was() -> None:
    found = row_of(text_of([math.nan, math.inf, -math.inf]))

    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf]


def test_decimals_keep_their_digits() -> None:
    text = text_of({"price": Decimal("12345678901234567.890"), "share": Decimal("1E-30")})

    assert text == '{"price": 12345678901234567.890, "share": 1E-30}'
    assert json.loads(text)["share"] == 1e-30


def test_integers_have_any_number_of_digits() -> None:
    text = text_of({"id": 7, "deep": [{"count": -(10**5000)}], "paid": True})

    assert text == '{"id": 7, "deep": [{"count": -1' + "0" * 5000 + '}], "paid": true}'
    assert row_of(text)["deep"] == [{"count": Decimal(-(10**5000))}]


def test_values_that_processing_steps_made_are_written_as_texts() -> None:
    row = {"day": date(2026, 1, 31), "time": datetime(2026, 1, 31, 1, tzinfo=UTC)}

    assert row_of(text_of(row)) == {"day": "2026-01-31", "time": "2026-01-31T01:00:00+00:00"}


def test_the_key_of_a_row_has_the_fields_of_the_primary_key_alone() -> None:
    key = RowKeys(TYPED).of({"price": "none", "day": "2026-01-31", "id": 7})

    assert key == {"id": 7, "day": "2026-01-31"}
    assert RowKeys(UNTYPED).of({"id": "7"}) == {"id": "7"}
    assert text_of(RowKeys(UNTYPED).of({"id": 7.0})) == '{"id": 7}'


def test_a_field_within_an_object_is_no_part_of_the_key() -> None:
    inner = Column(
        "id", "customer__id", "text", nullable=False, parents=(ParentObject("customer", False),)
    )
    contract = replace(TYPED, columns=(inner, *TYPED.columns))

    assert RowKeys(contract).of({"id": 7, "day": "2026-01-31"}) == {"id": 7, "day": "2026-01-31"}


@pytest.mark.parametrize(
    ("contract", "row"),
    [
        (TYPED, {"id": 7}),
        (TYPED, {"id": None, "day": "2026-01-31"}),
        (TYPED, {"id": "7", "day": "2026-01-31"}),
        (TYPED, {"id": 7, "day": "31 January"}),
        (UNTYPED, {"id": {"number": 7}}),
        (UNTYPED, {"id": "before\0after"}),
        (UNTYPED, {"id": "\ud83d"}),
        (UNTYPED, {"id": math.nan}),
        (UNTYPED, 17),
        (Contract("orders"), {"id": 7}),
    ],
    ids=lambda each: "" if isinstance(each, Contract) else ascii(each),
)
def test_a_key_that_no_valid_row_can_have_is_none(contract: Contract, row: Any) -> None:
    assert RowKeys(contract).of(row) is None


def test_a_key_of_decimals_has_all_digits() -> None:
    digits = Decimal("1.1234567890123456789")
    contract = Contract("orders", (Column("id", "id", "decimal", nullable=False),), ("id",))

    assert RowKeys(contract).of({"id": digits}) == {"id": digits}


def test_a_key_is_read_in_the_stated_format_of_its_times() -> None:
    contract = replace(TYPED, time_formats={"day": "%Y%m%d"})

    assert RowKeys(contract).of({"id": 7, "day": 20260131}) == {"id": 7, "day": date(2026, 1, 31)}
    assert RowKeys(contract).of({"id": 7, "day": "2026-01-31"}) is None
