from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.drift import drift


def contract(*columns: Column) -> Contract:
    return Contract("orders", columns, ("id",))


def column(field: str = "x", data_type: Any = "text", **parts: Any) -> Column:
    return Column(field, field, data_type, **{"nullable": False, **parts})


def test_equal_contracts_have_no_drift() -> None:
    kept = contract(column("a", description="Old words."), column("b", "bigint"))
    live = contract(column("b", "bigint"), column("a", description="New words."))

    assert drift(kept, live) == []


def test_added_and_removed_fields_are_listed() -> None:
    kept = contract(column("a"), column("b", "bigint"), column("c", "json"))
    live = contract(column("a"), column("d", "date"))

    assert drift(kept, live) == [
        "added `d` (date)",
        "removed `b` (bigint)",
        "removed `c` (json)",
    ]


def test_a_schema_that_is_new_lists_all_its_fields() -> None:
    assert drift(contract(), contract(column("a"), column("b", "bigint"))) == [
        "added `a` (text)",
        "added `b` (bigint)",
    ]


@pytest.mark.parametrize(
    ("kept", "live", "lines"),
    [
        (column(data_type="bigint"), column(), ["`x` was bigint and is text"]),
        (column(), column(nullable=True), ["`x` may be null now"]),
        (column(nullable=True), column(), ["`x` may no longer be null"]),
        (
            column(choices=("a", "b")),
            column(choices=("b", "c")),
            ["`x` may be `c` now", "`x` may no longer be `a`"],
        ),
        (column(), column(choices=("a",)), ["`x` has a list of values now"]),
        (column(choices=("a",)), column(), ["`x` has no list of values now"]),
        (
            column(data_type="bigint"),
            column(nullable=True),
            ["`x` was bigint and is text", "`x` may be null now"],
        ),
    ],
)
def test_changes_of_a_field_are_listed(kept: Column, live: Column, lines: list[str]) -> None:
    assert drift(contract(kept), contract(live)) == lines


def test_a_contract_that_can_no_longer_be_read_is_one_difference() -> None:
    sessions = Column("sessions", "sessions", "bigint", nullable=False)
    stored, live = Contract("overview", (sessions,)), Contract("overview", problem="No reference")

    assert drift(stored, live) == ["has no contract. No reference"]
    assert drift(live, live) == []
    assert drift(live, stored) == ["added `sessions` (bigint)"]
