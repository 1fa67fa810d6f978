"""Fields that the contract does not name, and named fields that no row has."""

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.validation import RowValidator


def contract(*fields: str) -> Contract:
    return Contract("orders", tuple(Column(name, name, "text", nullable=True) for name in fields))


def test_unknown_fields_are_valid_and_have_the_kind_of_their_first_value() -> None:
    validator = RowValidator(contract("x"))
    validator.validate([{"x": "a"}])
    assert validator.unknown_fields == {}

    page = validator.validate([{"a": 1, "b": None}, {"c": [1]}, {"a": "text", "d": True}, 5])
    assert len(page.rows) == 3
    assert validator.unknown_fields == {"a": "bigint", "b": "null", "c": "json", "d": "bool"}

    validator.validate([{"b": 0.5, "e": "text"}])
    validator.validate([{"b": "text"}])
    assert validator.unknown_fields == {
        "a": "bigint",
        "b": "double",
        "c": "json",
        "d": "bool",
        "e": "text",
    }


def test_without_a_schema_no_field_is_unknown_and_none_is_absent() -> None:
    validator = RowValidator(Contract("orders", primary_key=("id",)))
    validator.validate([{"id": 1, "x": 2}])

    assert validator.unknown_fields == {}
    assert validator.absent_fields == set()


def test_fields_that_no_row_had_are_absent() -> None:
    validator = RowValidator(contract("x", "y", "z"))
    assert validator.absent_fields == {"x", "y", "z"}

    validator.validate([{"x": "a"}, {"y": None}])
    assert validator.absent_fields == {"z"}
    validator.validate([])
    validator.validate([{"z": "a"}])
    assert validator.absent_fields == set()
