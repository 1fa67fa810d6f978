"""Tables of objects as JSON, and of their fields as columns, when the policy changes."""

from typing import Any

import pytest

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_rows
from analytics_assets_tests.warehouse.evolution.changed import load

pytestmark = pytest.mark.merge

USER = ParentObject("user", nullable=True)
ID = Column("id", "id", "bigint", nullable=False)
WHOLE = Contract("orders", (ID, Column("user", "user", "json", nullable=True)), ("id",))
IN_COLUMNS = Contract(
    "orders",
    (
        ID,
        Column("user.email", "user__email", "text", nullable=True, parents=(USER,)),
        Column("user.tags", "user__tags", "json", nullable=True, parents=(USER,)),
    ),
    ("id",),
)
ROWS: list[dict[str, Any]] = [
    {"id": number, "user": {"email": email, "tags": [email]}}
    for number, email in enumerate("abc", 1)
]
AS_COLUMNS = [
    {"id": row["id"], "user__email": row["user"]["email"], "user__tags": row["user"]["tags"]}
    for row in ROWS
]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(WHOLE, IN_COLUMNS, ROWS), (IN_COLUMNS, WHOLE, AS_COLUMNS)],
    ids=["json first", "columns first"],
)
def test_a_table_keeps_its_layout_and_every_value(
    warehouse: Warehouse, first: Contract, second: Contract, expected: Any
) -> None:
    load(warehouse, ROWS[:2], first)

    comparison = load(warehouse, ROWS[1:], second)

    assert table_rows(warehouse, "orders") == expected
    assert comparison.kept
