"""Rows that Arrow parses: the same as in Python, or none at all."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.columns.json_columns import table_of_json
from analytics_assets.extract.rows.columns.row_type import RowType

CONTRACT = Contract(
    "orders",
    (
        Column("id", "order_id", "text", nullable=False),
        Column("amount", "amount", "bigint", nullable=True),
        Column("price", "price", "double", nullable=True),
        Column("paid", "paid", "bool", nullable=True),
        Column("day", "day", "date", nullable=True),
        Column("at", "at", "timestamp", nullable=True),
    ),
    ("id",),
)
ROW = {
    "id": "o1",
    "amount": 3,
    "price": 2.5,
    "paid": True,
    "day": "2026-01-31",
    "at": "2026-01-31T23:30:00.25+01:00",
}


def parsed(*pages: bytes, rows_each: int = 1) -> list[dict[str, Any]] | None:
    table = table_of_json(RowType(CONTRACT), pages, [rows_each] * len(pages))
    return None if table is None else table.to_pylist()


def page(*rows: dict[str, Any]) -> bytes:
    return json.dumps(rows).encode()


def test_values_have_the_types_and_the_columns_the_names_of_the_contract() -> None:
    assert parsed(page(ROW)) == [
        {
            "order_id": "o1",
            "amount": 3,
            "price": 2.5,
            "paid": True,
            "day": date(2026, 1, 31),
            "at": datetime(2026, 1, 31, 22, 30, 0, 250_000, UTC),
        }
    ]


def test_rows_keep_the_order_of_pages_and_within_them() -> None:
    pages = [page({"id": f"{number}a"}, {"id": f"{number}b"}) for number in range(3)]

    found = parsed(*pages, rows_each=2) or []

    assert [row["order_id"] for row in found] == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_missing_fields_are_null() -> None:
    assert parsed(page({"id": "o1"})) == [
        dict.fromkeys(["order_id", "amount", "price", "paid", "day", "at"]) | {"order_id": "o1"}
    ]


def test_texts_of_all_languages_and_with_escapes_stay_as_they_are() -> None:
    text = 'Ü 日本 \U0001f600 "quoted" \\ back\nline\ttab },{"id":"x"}'
    both = [json.dumps([{"id": text}], ensure_ascii=escaped).encode() for escaped in (True, False)]

    found = parsed(*both) or []

    assert [row["order_id"] for row in found] == [text, text]


def test_line_breaks_within_a_page_do_not_split_it() -> None:
    assert len(parsed(json.dumps([ROW, ROW], indent=2).encode(), rows_each=2) or ()) == 2


def test_times_without_a_zone_are_taken_as_utc() -> None:
    found = parsed(page(ROW | {"at": "2026-01-31T23:30:00"})) or []

    assert found[0]["at"] == datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T23:30:00.123456789Z", datetime(2026, 1, 31, 23, 30, 0, 123_456, UTC)),
        ("1969-12-31T23:59:59.9999999Z", datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("2026-01-31T23:30:00+0100", datetime(2026, 1, 31, 22, 30, tzinfo=UTC)),
    ],
)
def test_times_have_the_digits_that_dlt_keeps_and_any_offset(text: str, moment: datetime) -> None:
    assert [row["at"] for row in parsed(page(ROW | {"at": text})) or []] == [moment]


def test_a_time_that_tells_rows_apart_keeps_all_digits() -> None:
    key = Contract("orders", (Column("at", "at", "timestamp", nullable=False),), ("at",))

    assert table_of_json(RowType(key), [b'[{"at": "2026-01-31T23:30:00.1234567Z"}]'], [1]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 5},
        {"id": ["o1"]},
        {"id": "nul \0 within"},
        {"amount": "3"},
        {"amount": True},
        {"amount": 5.5},
        {"amount": 2**63},
        {"price": "2.5"},
        {"price": 2**53 + 1},
        {"price": float("nan")},
        {"price": float("inf")},
        {"paid": 1},
        {"day": "31.01.2026"},
        {"day": "2026-02-30"},
        {"day": "0000-01-01"},
        {"day": "2026-01-31T00:00:00Z"},
        {"at": "2026-01-31"},
        {"at": "2026-01-31T23:30Z"},
        {"at": "2026-01-31T25:00:00Z"},
        {"at": "9999-12-31T23:59:59-05:00"},
        {"at": 1769900000},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_value_that_may_not_fit_leaves_all_to_dlt(change: dict[str, Any]) -> None:
    assert parsed(page(ROW), page(ROW | change)) is None


@pytest.mark.parametrize(
    "rows",
    [
        b'[{"id":"\xff"}]',
        b'[{"id":"\\ud800"}]',
        b'[{"id":"a","price":1e400}]',
        b"[null]",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
    ],
)
def test_any_other_json_leaves_all_to_dlt(rows: bytes) -> None:
    assert parsed(page(ROW), rows) is None


def test_each_page_must_have_the_expected_number_of_rows() -> None:
    assert parsed(page(ROW), page(ROW, ROW, ROW), rows_each=2) is None


def test_the_last_of_repeated_fields_counts_as_in_a_row() -> None:
    assert [row["order_id"] for row in parsed(b'[{"id":"a","id":"b"}]') or []] == ["b"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"b": [1, 2.50], "a": null}', '{"b":[1,2.5],"a":null}'),
        ('"a\\u0041"', '"aA"'),
        ("5.0", "5.0"),
        ("true", "true"),
        ("null", None),
        ("18446744073709551616", ...),
        ("[12345678901234567.89]", ...),
        ('{"a": "\\u0000"}', ...),
        ("[" * 9999 + "]" * 9999, ...),
    ],
)
def test_a_json_column_has_the_text_that_dlt_writes(value: str, text: Any) -> None:
    objects = Contract("orders", (Column("parts", "parts", "json", nullable=True),), ())

    table = table_of_json(RowType(objects), [b'[{"parts": %b}]' % value.encode()], [1])

    assert (... if table is None else table.column("parts")[0].as_py()) == text


@pytest.mark.parametrize(
    ("number", "amount"),
    [("5.0", 5), ("-2e3", -2000), ("5.5", ...), ('"5"', ...), ("1e19", ...), ("true", ...)],
)
def test_an_integer_may_have_a_fraction_of_zeros(number: str, amount: Any) -> None:
    found = parsed(b'[{"id":"a","amount":%b}]' % number.encode())

    assert (found[0]["amount"] if found else ...) == amount
