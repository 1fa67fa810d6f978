from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.extract.rows.hashing import content_hash


@pytest.mark.parametrize(
    ("row", "same"),
    [
        ({"a": 1, "b": {"x": 1, "y": 2}}, {"b": {"y": 2, "x": 1}, "a": 1}),
        ({"a": 1, "b": None}, {"a": 1}),
        ({"a": 1, "b": []}, {"a": 1}),
        ({"a": [{"x": 1, "y": None}]}, {"a": [{"x": 1}]}),
        ({"a": {1}}, {"a": {1}}),
        ({"a": Decimal("1.10")}, {"a": Decimal("1.10")}),
        (["a"], ["a"]),
    ],
)
def test_rows_with_the_same_fields_have_the_same_hash(row: Any, same: Any) -> None:
    assert content_hash(row) == content_hash(same)


def test_rows_with_another_value_or_type_have_another_hash() -> None:
    rows: list[Any] = [{"a": 1}, {"a": "1"}, {"a": 1.5}, {"a": True}, {"a": [1]}, {"b": 1}, 1, "1"]

    assert len({content_hash(row) for row in rows}) == len(rows)
