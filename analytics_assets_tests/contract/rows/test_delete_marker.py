"""The marks of deleted rows: values that say yes or no, and those that say neither."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.config.policy import Tombstone
from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.delete_marker import DeleteMarker, TombstoneError
from analytics_assets.contract.rows.validation import RowValidator

DELETE: Tombstone = {"field": "gone", "rows": "delete"}
KEEP: Tombstone = {"field": "gone", "rows": "keep"}


def contract(tombstone: Tombstone = DELETE, **parts: Any) -> Contract:
    return Contract("orders", primary_key=("id",), tombstone=tombstone, **parts)


def marker(**formats: str) -> DeleteMarker:
    return DeleteMarker(contract(time_formats=formats))


@pytest.mark.parametrize(
    "value",
    [
        *(True, 1, 1.0, Decimal(1), "true", "Yes", " Y ", "1"),
        *("2026-01-31", "2026-01-31T12:00:00Z", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_value_says_that_a_row_is_deleted(value: Any) -> None:
    assert marker().marks({"id": 7, "gone": value})


@pytest.mark.parametrize(
    "value", [None, False, 0, 0.0, "", " ", "false", "NO", "n", "0", "0000-00-00 00:00:00"]
)
def test_a_value_says_that_a_row_is_there(value: Any) -> None:
    assert not marker().marks({"id": 7, "gone": value})
    assert not marker().marks({"id": 7})


@pytest.mark.parametrize(
    ("value", "kind"),
    [("archived", "text"), (7, "number"), (1769902215, "number"), ({}, "object"), ([], "list")],
)
def test_a_value_that_says_neither_is_an_error_without_the_value(value: Any, kind: str) -> None:
    with pytest.raises(TombstoneError) as error:
        marker().marks({"id": 7, "gone": value})
    assert f"orders: `gone`, the field of `tombstone` in the policy, has a {kind} that" in str(
        error.value
    )
    assert str(value) not in str(error.value) or value in ({}, [], 7)


def test_a_time_in_another_format_is_read_by_time_formats() -> None:
    assert marker(gone="epoch_seconds").is_deleted(1769902215)
    assert not marker(gone="epoch_seconds").is_deleted(0)
    assert marker(gone="%d/%m/%Y").is_deleted("31/01/2026")


def test_a_deleted_row_needs_its_key_alone_and_a_kept_one_all_that_others_have() -> None:
    columns = (Column("id", "id", "bigint", False), Column("name", "name", "text", False))
    bare = {"id": 7, "gone": True}

    assert RowValidator(contract(columns=columns)).validate([bare]).rows == [bare]
    [rejected] = RowValidator(contract(KEEP, columns=columns)).validate([bare]).rejected
    assert rejected.reason == "`$.name`: required, but missing"


@pytest.mark.parametrize(
    ("tombstone", "others", "lacks"),
    [
        ({"id": 7, "gone": True}, [], "nothing but its key"),
        ({"id": 7, "gone": True}, [{"id": 1, "name": "a"}], "no `name`"),
        ({"id": 7, "gone": True, "name": None}, [{"id": 1, "name": "a"}], None),
        ({"id": 7, "gone": True, "name": "b"}, [], None),
        ({"id": 7, "gone": True}, [{"id": 1, "name": "a"}, {"id": 2}], None),
    ],
)
def test_a_kept_tombstone_that_would_empty_columns_is_rejected(
    tombstone: dict[str, Any], others: list[Any], lacks: str | None
) -> None:
    page = RowValidator(contract(KEEP)).validate([tombstone, *others])

    assert len(page.rows) == len(others) + (lacks is None)
    for rejection in page.rejected:
        assert f"a deleted row with {lacks}, which would empty the columns" in rejection.reason


def test_a_field_with_dots_in_its_name_is_no_path() -> None:
    columns = (Column("meta.gone", "meta_gone", "bool", True),)
    named: Tombstone = {"field": "meta.gone", "rows": "delete"}
    assert DeleteMarker(contract(named, columns=columns)).marks({"meta.gone": True})
    assert DeleteMarker(contract(named)).marks({"meta": {"gone": True}})
