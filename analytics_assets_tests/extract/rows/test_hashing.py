"""Hashes of rows: the same for one row in a table and as an object."""

from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.arrow import table_of_rows
from analytics_assets.extract.rows.columns.row_type import RowType
from analytics_assets.extract.rows.hashing import RowHash, json_hashes

CONTRACT = Contract(
    "orders",
    (
        Column("id", "id", "text", nullable=False),
        Column("amount", "amount", "double", nullable=True),
        Column("at", "at", "timestamp", nullable=True),
    ),
    ("id",),
)
ROWS: list[dict[str, Any]] = [
    {"id": f"o{number}", "amount": number / 2, "at": f"2026-01-31T00:00:{number:02}Z"}
    for number in range(60)
]


def of_table(rows: list[dict[str, Any]]) -> list[int]:
    table = table_of_rows(RowType(CONTRACT), rows)
    assert table is not None
    return RowHash(CONTRACT).of_table(table)


def test_a_row_in_a_table_has_the_hash_that_it_has_alone() -> None:
    hashes = RowHash(CONTRACT)

    assert of_table(ROWS) == hashes.of_rows(ROWS)
    assert of_table(ROWS) == [found for row in ROWS for found in hashes.of_rows([row])]


def test_rows_that_differ_have_different_hashes() -> None:
    changed = [{**ROWS[0], "amount": 1.0}, {**ROWS[0], "at": None}, {**ROWS[0], "id": "other"}]

    assert len(set(of_table([*ROWS, *changed]))) == 63


def test_one_time_has_the_same_hash_in_any_time_zone() -> None:
    here, there = "2026-01-31T00:00:00Z", "2026-01-31T01:00:00+01:00"

    assert of_table([{"id": "a", "at": here}]) == of_table([{"id": "a", "at": there}])


@pytest.mark.parametrize(
    "row",
    [{"id": "a", "colour": "red"}, {"id": "a", "amount": "much"}, {"id": None, "at": 5}, 7],
    ids=str,
)
def test_a_row_that_breaks_the_contract_has_a_hash_of_its_own(row: Any) -> None:
    hashes = RowHash(CONTRACT)

    assert hashes.of_rows([ROWS[0], row]) == [*hashes.of_rows(ROWS[:1]), *hashes.of_rows([row])]
    assert hashes.of_rows([row]) != hashes.of_rows([{"id": "a"}])


def test_without_a_contract_rows_differ_by_their_json() -> None:
    assert (
        json_hashes([{"a": 1}, {"a": 1}, {"a": "1"}, {"a": {1, 2}}])[0:2]
        == [json_hashes([{"a": 1}])[0]] * 2
    )
    assert len(set(json_hashes([{"a": 1}, {"a": "1"}, {"a": 1.5}]))) == 3
