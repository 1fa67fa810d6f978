"""Validation of fields within objects of a row."""

from typing import Any

import pytest

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.validation import RowValidator

USER = ParentObject("user", nullable=True)
HOME = ParentObject("home", nullable=False)


def nested(field: str, *parents: ParentObject, kind: Any = "text", nullable: bool = True) -> Column:
    return Column(field, field.replace(".", "__"), kind, nullable, parents=parents)


CONTRACT = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        nested("user.email", USER, nullable=False),
        nested("user.age", USER, kind="bigint"),
        nested("user.home.city", USER, HOME),
        nested("user.home.since", USER, HOME, kind="timestamp"),
        nested("user.home.size", USER, HOME, kind="double"),
        nested("user.tags", USER, kind="json", nullable=False),
    ),
    ("id",),
)


def user(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "user": {"email": "a@example.com", "home": {}, "tags": [], **fields}}


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1},
        {"id": 1, "user": None},
        user(),
        user(age=None, home={"city": "Bonn", "since": "2026-01-31T00:00:00Z", "size": 2.5}),
        user(other={"x": 1}, home={"other": True}),
    ],
)
def test_optional_objects_and_fields_may_be_missing(row: Any) -> None:
    assert RowValidator(CONTRACT).validate([row]).rows == [row]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": 1, "user": "a"}, "`$.user`: Expected `object | null`, got `str`"),
        ({"id": 1, "user": []}, "`$.user`: Expected `object | null`, got `array`"),
        (user(email=5), "`$.user.email`: Expected `str`, got `int`"),
        (user(email=None), "`$.user.email`: Expected `str`, got `null`"),
        ({"id": 1, "user": {"home": {}}}, "`$.user.email`: required, but missing"),
        (user(home=None), "`$.user.home`: Expected `object`, got `null`"),
        (user(home={"city": True}), "`$.user.home.city`: Expected `str | null`, got `bool`"),
        (user(home={"since": "2026-01-31t00:00:00z"}), "`$.user.home.since`: Invalid RFC3339 enco"),
        (user(home={"since": "0001-01-01T00:00:00+01:00"}), "`$.user.home.since`: in UTC not a "),
        (user(home={"size": 2**53 + 1}), "`$.user.home.size`: an integer that a double would rou"),
        (user(home={"size": float("nan")}), "`$.user.home.size`: Expected a finite `float`"),
        (user(tags=None), "`$.user.tags`: Expected a value, got `null`"),
        (user(tags=[float("nan")]), "`$.user.tags[0]`: not a finite number"),
        (user(other=float("inf")), "`$.user.other`: not a finite number"),
        (user(other=2**63), "`$.user.other`: an integer above 9223372036854775807"),
    ],
)
def test_a_wrong_value_in_an_object_rejects_its_row_alone_with_the_path(
    row: Any, reason: str
) -> None:
    page = RowValidator(CONTRACT).validate([user(), row, user()])

    assert page.rows == [user(), user()]
    assert [each.reason[: len(reason)] for each in page.rejected] == [reason]


def test_a_row_that_is_deleted_needs_neither_objects_nor_what_is_in_them() -> None:
    required = ParentObject("user", nullable=False)
    deleted = Column("deleted", "deleted", "bool", nullable=True)
    columns = (CONTRACT.columns[0], nested("user.email", required, nullable=False), deleted)
    validator = RowValidator(Contract("orders", columns, ("id",), hard_delete="deleted"))

    page = validator.validate([{"id": 1, "deleted": True}, {"id": 2}])

    assert page.rows == [{"id": 1, "deleted": True}]
    assert [each.reason for each in page.rejected] == ["`$.user`: required, but missing"]


def test_unknown_and_absent_fields_have_their_path() -> None:
    validator = RowValidator(CONTRACT)
    validator.validate([user(other=1), user(home={"city": "Bonn", "more": "x"}), {"id": 2}])

    assert validator.unknown_fields == {"user.other": "bigint", "user.home.more": "text"}
    assert validator.absent_fields == {"user.age", "user.home.since", "user.home.size"}


def test_the_name_of_a_nested_field_is_that_of_its_column() -> None:
    assert CONTRACT.name_of("user.home.city") == "user__home__city"
    assert CONTRACT.name_of("user", "home", "zipCode") == "user__home__zip_code"
    assert CONTRACT.columns[1].may_be_null
