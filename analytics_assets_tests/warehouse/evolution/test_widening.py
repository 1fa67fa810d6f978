"""Types that hold each value of another type unaltered."""

import pytest

from analytics_assets.warehouse.evolution.column_type import ColumnType
from analytics_assets.warehouse.evolution.widening import holds, is_widening


def type_of(text: str) -> ColumnType:
    kind, *details = text.split()
    hint = dict(zip(("precision", "scale"), map(int, details), strict=False))
    found = ColumnType.of({"data_type": kind, **hint})
    assert found
    return found


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        ("bigint", "double"),
        ("bigint", "decimal"),
        ("bigint", "decimal 19 0"),
        ("bigint", "wei"),
        ("date", "timestamp"),
        ("decimal 10 2", "decimal"),
        ("decimal 10 2", "decimal 12 4"),
        ("text 10", "text"),
        ("text 10", "text 20"),
        *((kind, "text") for kind in ("bigint", "double", "bool", "date", "timestamp", "time")),
        ("decimal", "text"),
    ],
)
def test_a_wider_type_holds_each_value_of_the_stored_one(stored: str, new: str) -> None:
    assert is_widening(type_of(stored), type_of(new))
    assert not holds(type_of(stored), type_of(new))
    assert not is_widening(type_of(new), type_of(stored))


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        ("bigint", "bool"),
        ("bigint", "timestamp"),
        ("bigint", "decimal 18 0"),
        ("bigint", "text 3"),
        ("bool", "bigint"),
        ("double", "decimal"),
        ("decimal", "double"),
        ("decimal", "decimal 38 19"),
        ("json", "text"),
        ("text", "json"),
        ("timestamp", "date"),
    ],
)
def test_other_types_would_alter_values(stored: str, new: str) -> None:
    assert not is_widening(type_of(stored), type_of(new))
    assert not holds(type_of(stored), type_of(new))


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        ("bigint", "bigint"),
        ("text", "text 10"),
        ("decimal", "decimal 10 2"),
        ("decimal 38 0", "wei"),
    ],
)
def test_a_column_holds_a_narrower_type_of_its_kind(stored: str, new: str) -> None:
    assert holds(type_of(stored), type_of(new))
    assert not is_widening(type_of(stored), type_of(new))


def test_a_column_without_values_has_no_type() -> None:
    assert ColumnType.of({"name": "price"}) is None
