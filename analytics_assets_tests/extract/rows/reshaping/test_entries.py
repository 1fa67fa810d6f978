"""Rows of an object whose keys are data, and what is none of its rows."""

from typing import Any

import pytest

from analytics_assets.config.entry.rows import Entries, Origin, RowsConfig, Zip
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.extract.rows.reshaping.reshape import Reshape

BY_DAY = RowsConfig(Entries(("day",)))
COUNTED = RowsConfig(Entries(("day",), "visits"))
NESTED = RowsConfig(Entries(("country", "day"), "visits"))


def rows_of(config: RowsConfig, found: Any, body: Any = None) -> list[Any]:
    return Reshape(config, {})([found], body)


def refusal(config: RowsConfig, found: Any) -> str:
    with pytest.raises(RowsError) as refused:
        rows_of(config, found)
    return str(refused.value)


@pytest.mark.parametrize(
    ("config", "found", "rows"),
    [
        (BY_DAY, {"1": {"a": 1}, "2": {"a": 2}}, [{"a": 1, "day": "1"}, {"a": 2, "day": "2"}]),
        (BY_DAY, {"1": [{"a": 1}, {"a": 2}]}, [{"a": 1, "day": "1"}, {"a": 2, "day": "1"}]),
        (BY_DAY, {"1": [], "2": {}}, [{"day": "2"}]),
        (COUNTED, {"1": 5, "2": 0, "3": None}, [
            {"visits": 5, "day": "1"},
            {"visits": 0, "day": "2"},
            {"visits": None, "day": "3"},
        ]),
        (COUNTED, {"1": [5, 6]}, [{"visits": 5, "day": "1"}, {"visits": 6, "day": "1"}]),
        (COUNTED, {"1": {"a": 1}}, [{"a": 1, "day": "1"}]),
        (NESTED, {"de": {"1": 5}, "fr": [], "it": {}}, [
            {"visits": 5, "country": "de", "day": "1"},
        ]),
    ],
)  # fmt: skip
def test_each_key_has_its_rows(config: RowsConfig, found: Any, rows: list[Any]) -> None:
    assert rows_of(config, found) == rows


@pytest.mark.parametrize(
    ("value", "kind"),
    [(5, "a number"), ("x", "a text"), (None, "null"), (True, "a truth value")],
)
def test_a_value_without_a_column_is_refused_with_the_remedy(value: Any, kind: str) -> None:
    text = refusal(BY_DAY, {"1": {"a": 1}, "2": value})

    assert f"a value of `day` is {kind}, which has no fields; name its column by `value`" in text


@pytest.mark.parametrize("value", [5, None, [1], "x"])
def test_something_else_than_an_object_of_keys_is_refused(value: Any) -> None:
    assert "in the place of the object whose keys are `day`" in refusal(NESTED, {"de": value})


def test_a_list_within_a_list_needs_names() -> None:
    assert "a value of `day` is a list, which has no fields; name them by `zip`" in refusal(
        COUNTED, {"1": [[1, 2]]}
    )


def test_a_key_overwrites_no_field_of_a_row() -> None:
    assert "a row has a field `day`, which `entries` in `rows` of the entry would overwrite" in (
        refusal(BY_DAY, {"1": {"day": "2"}})
    )


@pytest.mark.parametrize("found", [{"1": [5, 6]}, {"1": [[5, 6]]}])
def test_arrays_by_key_become_rows_by_their_headers(found: Any) -> None:
    config = RowsConfig(Entries(("day",)), (Zip("columns", "$", "types"),))
    body = {"columns": ["a", "b"], "types": ["Float64", "String"]}

    assert rows_of(config, found, body) == [{"a": 5.0, "b": 6, "day": "1"}]
    assert rows_of(config, {"1": [], "2": []}, {}) == []


def test_fields_come_last_and_overwrite_none() -> None:
    fields = {"total": Origin("body", "meta.total"), "gone": Origin("body", "meta.gone")}
    config = RowsConfig(Entries(("day",)), fields=fields)
    reshape = Reshape(config, {"source": "a"})
    body = {"meta": {"total": 5}}

    assert reshape([{"1": {"a": 1}}], body) == [
        {"a": 1, "day": "1", "source": "a", "total": 5, "gone": None}
    ]
    with pytest.raises(RowsError, match="a row has a field `source`, which `fields` in `rows`"):
        reshape([{"1": {"source": "b"}}], body)


def test_what_is_no_object_gets_no_field() -> None:
    assert Reshape(RowsConfig(), {"source": "a"})([5, {"id": 1}], {}) == [
        5,
        {"id": 1, "source": "a"},
    ]
