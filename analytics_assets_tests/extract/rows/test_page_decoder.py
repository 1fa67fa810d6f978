"""Pages decoded by their contract: split, validated in one pass, and left to dlt if they differ."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.page_decoder import PageDecoder, SplitPage

CONTRACT = Contract(
    "orders",
    (
        Column("id", "order_id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
    ),
    ("id",),
    {"id": "order_id"},
)
ROWS = [{"id": 1, "text": "Ж"}, {"id": 2, "text": None}]


def contract_of(key: tuple[str, ...] = ("id",), **types: DataType) -> Contract:
    columns = tuple(Column(name, name, kind, nullable=False) for name, kind in types.items())
    return Contract("orders", columns, key)


def test_a_body_is_split_into_its_rows_and_the_fields_around_them() -> None:
    decoder = PageDecoder(CONTRACT, "result.data")
    body = {"total": 9, "result": {"data": ROWS, "next": [None]}, "ok": True}

    page = decoder.split(json.dumps(body).encode())

    assert page is not None
    assert json.loads(page.rows) == ROWS
    assert decoder.body_of(page.envelope) == {
        "total": 9,
        "result": {"data": [], "next": [None]},
        "ok": True,
    }


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"rows": []}', b'{"data": [', b'{"\xff": 1, "data": []}', b"null"]
)
def test_a_body_without_rows_in_their_place_is_left_to_dlt(body: bytes) -> None:
    assert PageDecoder(CONTRACT, "data").split(body) is None


def decoded(contract: Contract, *pages: str | bytes) -> Any:
    """The table of lists of rows; None if one of them does not fit."""
    bodies = [page.encode() if isinstance(page, str) else page for page in pages]
    return PageDecoder(contract, "$").decode(bodies, [len(json.loads(body)) for body in bodies])


def test_rows_of_several_pages_become_one_table() -> None:
    table = decoded(CONTRACT, json.dumps(ROWS), '[{"id": 3}, {"id": 4}]')

    assert table.column_names == ["order_id", "text"]
    assert table.column("text").to_pylist() == ["Ж", None, None, None]


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        (("id",), [1, "b", None, None, 1.5]),
        (("id", "line"), [(1, "a"), ("b", True), None, None, None]),
    ],
)
def test_the_key_of_a_row_is_what_json_has(key: tuple[str, ...], keys: list[Any]) -> None:
    rows = [{"id": 1, "line": "a"}, {"id": "b", "line": True}, {"line": 1}, {"id": [1], "line": 1}]
    page = SplitPage(json.dumps([*rows, {"id": 1.5}]).encode(), key=key)

    assert page.keys == keys
    assert page.count == 5


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [(5.0, True), (5.5, False), ("5", False), (None, False), (2**63, False)],
)
def test_values_that_arrow_does_not_parse_are_validated_in_python(
    value: Any, is_valid: bool
) -> None:
    table = decoded(contract_of(id="bigint", n="bigint"), json.dumps([{"id": 1, "n": value}]))

    assert (table is not None) is is_valid


@pytest.mark.parametrize(
    "page",
    [
        b'[{"id": 1}, {"id": 2, "x": 3}]',
        b'[{"id": 1}, {"id": 2, "text": "\\u0000"}]',
    ],
)
def test_a_page_with_an_invalid_row_is_left_to_dlt(page: bytes) -> None:
    assert decoded(CONTRACT, page) is None


@pytest.mark.parametrize("kind", ["double", "json"])
@pytest.mark.parametrize(
    ("number", "is_valid"),
    [("12345678901234567.89", False), ("0.10000000000000001", True), ("1e400", False)],
)
def test_a_page_with_a_number_that_no_double_holds_is_left_to_dlt(
    kind: Any, number: str, is_valid: bool
) -> None:
    table = decoded(contract_of(id="bigint", n=kind), f'[{{"id": 1, "n": {number}}}]')

    assert (table is not None) is is_valid


def test_fields_around_the_rows_may_have_numbers_of_any_length() -> None:
    split = PageDecoder(CONTRACT, "data").split(b'{"data": [], "total": %b}' % (b"9" * 5000))

    assert split
    assert PageDecoder(CONTRACT, "data").body_of(split.envelope)["total"] == Decimal("9" * 5000)


@pytest.mark.parametrize(
    ("contract", "selector", "can_decode"),
    [
        (CONTRACT, "data", True),
        (CONTRACT, "result.data", True),
        (CONTRACT, "$", True),
        (contract_of(()), "data", True),
        (CONTRACT, "data[*]", False),
        (replace(CONTRACT, time_formats={"at": "epoch_seconds"}), "data", False),
    ],
)
def test_pages_are_decoded_with_known_types_and_a_plain_path(
    contract: Contract, selector: str, can_decode: bool
) -> None:
    assert PageDecoder.can_decode(contract, selector) is can_decode
