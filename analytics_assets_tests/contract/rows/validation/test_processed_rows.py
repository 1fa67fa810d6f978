"""The contract after the steps: what they leave alone is asked for as it was sent."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.processed_rows import ProcessedRows
from analytics_assets.contract.rows.storage_limits import unstorable
from analytics_assets.contract.rows.validation import RowValidator

CONTRACT = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("n", "n", "double", nullable=False, required=True),
        Column("text", "text", "text", nullable=True),
        Column("day", "day", "date", nullable=True),
        Column("free", "free", "json", nullable=True),
        Column(
            "user.age", "user__age", "bigint", nullable=True, parents=(ParentObject("user", True),)
        ),
    ),
    ("id",),
)
FIELDS = ("id", "n", "text", "day", "free", "other")
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, 1, 0, 2**60 + 1, 1.5, "1", "x", "2026-01-31", True, [], {"a": 1}, "a\0b", Decimal("0.1")]
)
ROWS = st.dictionaries(st.sampled_from(FIELDS), VALUES)


@given(ROWS)
def test_without_a_change_the_verdict_is_that_of_the_row_as_it_was_sent(row: Any) -> None:
    check, before = ProcessedRows(CONTRACT), deepcopy(row)
    rejected = RowValidator(CONTRACT).validate([row]).rejected

    reason = check.reason_against(row, row, deepcopy(row))

    assert (reason is None) == (not rejected)
    assert row == before


@given(ROWS, ROWS)
def test_a_row_whose_fields_are_all_changed_needs_values_that_its_columns_hold(
    sent: Any, made: Any
) -> None:
    sent = {name: [value] for name, value in sent.items()}  # a list is no value of a column
    made = {name: value for name, value in made.items() if value != []}
    check = ProcessedRows(replace(CONTRACT, columns=CONTRACT.columns[2:4], primary_key=()))

    reason = check.reason_against(sent, sent, made)

    untouched = "text" not in (sent.keys() | made.keys())
    assert (reason is None) == (check.reason(made) is None and not unstorable(made)) or untouched


@given(st.lists(ROWS, max_size=4))
def test_pages_and_rows_have_the_same_verdict(rows: list[Any]) -> None:
    check = ProcessedRows(CONTRACT)

    assert check.fit(rows) == (not any(map(check.reason, rows)))


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"id": 1, "n": 5, "text": 7, "day": date(2026, 1, 31)},
        {"n": Decimal("0.5"), "day": datetime(2026, 1, 31, tzinfo=UTC)},
        {"day": "2026-01-31T00:00:00Z", "id": "7", "n": "0.5"},
        {"free": {1, 2}, "text": ("a",), "user": None},
        {"user": "none"},
        {"user": {"age": "7"}},
    ],
)
def test_what_columns_hold_unaltered_fits(row: Any) -> None:
    check = ProcessedRows(CONTRACT)

    assert check.reason(row) is None
    assert check.fit([row])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": 1.5}, "`$.id`: Expected `bigint`, got `double`"),
        ({"id": True}, "`$.id`: Expected `bigint`, got `bool`"),
        ({"id": "07"}, "`$.id`: Expected `bigint`, got `text`"),
        ({"n": {"a": 1}}, "`$.n`: Expected `double`, got `json`"),
        ({"n": 2**60 + 1}, "`$.n`: Expected `double`, got `bigint`"),
        ({"day": 20260131}, "`$.day`: Expected `date`, got `bigint`"),
        (
            {"day": datetime(2026, 1, 31, 5, tzinfo=UTC)},
            "`$.day`: Expected `date`, got `timestamp`",
        ),
        ({"user": {"age": "old"}}, "`$.user.age`: Expected `bigint`, got `text`"),
        ([1], "`$`: Expected `object`, got `list`"),
    ],
)
def test_what_a_column_would_alter_does_not(row: Any, reason: str) -> None:
    check = ProcessedRows(CONTRACT)

    assert check.reason(row) == f"{reason} by `processing_steps`"
    assert not check.fit([row])
