"""Arrays of values become fields by their headers, and nothing is paired wrongly."""

from typing import Any

import pytest

from analytics_assets.config.entry.rows import Zip
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.extract.rows.reshaping.zip import ZippedRows

PLAIN = Zip("columns", "$")
VALUES = Zip("h[*].name", "v[*].value", "h[*].type")
HEADERS = {"h": [{"name": "a", "type": "INTEGER"}, {"name": "b", "type": "FLOAT"}]}


def zipped(row: Any, body: Any, *zips: Zip) -> dict[str, Any]:
    return ZippedRows(zips, body)(row)


def refusal(row: Any, body: Any, *zips: Zip) -> str:
    with pytest.raises(RowsError) as refused:
        zipped(row, body, *zips)
    return str(refused.value)


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ("$", [1, 2]),
        ("v", {"v": [1, 2]}),
        ("$.v", {"v": [1, 2]}),
        ("v[*]", {"v": [1, 2]}),
        ("v.[*]", {"v": [1, 2]}),
        ("v.w", {"v": {"w": [1, 2]}}),
        ("v[*].x", {"v": [{"x": 1}, {"x": 2}]}),
        ("v.w[*].x", {"v": {"w": [{"x": 1}, {"x": 2}]}}),
        ("'v w'[*].x", {"v w": [{"x": 1}, {"x": 2}]}),
        ("v[*].x.y", {"v": [{"x": {"y": 1}}, {"x": {"y": 2}}]}),
        ("v[*][1]", {"v": [[0, 1], [0, 2]]}),
    ],
)
def test_values_are_found_by_any_path(values: str, row: Any) -> None:
    assert zipped(row, {}, Zip(("a", "b"), values)) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("names", "body"),
    [
        (("a", "b"), {}),
        ("columns", {"columns": ["a", "b"]}),
        ("$.columns", {"columns": ["a", "b"]}),
        ("columns[*]", {"columns": ["a", "b"]}),
        ("meta.columns", {"meta": {"columns": ["a", "b"]}}),
        ("columns[*].name", {"columns": [{"name": "a"}, {"name": "b"}]}),
        ("columns[*][0]", {"columns": [["a", 1], ["b", 2]]}),
        ("columns[*].of.name", {"columns": [{"of": {"name": "a"}}, {"of": {"name": "b"}}]}),
    ],
)
def test_names_are_found_by_any_path_and_may_be_given(names: Any, body: Any) -> None:
    assert zipped([1, 2], body, Zip(names, "$")) == {"a": 1, "b": 2}


def test_a_single_name_is_no_list_of_letters() -> None:
    assert zipped([1], {"columns": ["day"]}, PLAIN) == {"day": 1}
    assert zipped([1], {"h": [{"name": "day"}]}, Zip("h[*].name", "$")) == {"day": 1}


def test_the_other_fields_of_a_row_stay() -> None:
    row = {"v": [{"value": "1"}, {"value": "2"}], "id": 7}

    assert zipped(row, HEADERS, VALUES) == {"a": 1, "b": 2.0, "id": 7}


@pytest.mark.parametrize("values", [[1], [1, 2, 3], []])
def test_other_numbers_of_names_and_values_are_refused_with_both(values: list[int]) -> None:
    found = "1 value" if len(values) == 1 else f"{len(values)} values"

    assert refusal(values, {"columns": ["a", "b"]}, PLAIN).startswith(
        f"a row has {found} at `$` for 2 names at `columns`"
    )


def test_values_without_headers_are_refused() -> None:
    assert "2 values at `$` for 0 names at `columns`" in refusal([1, 2], {}, PLAIN)
    assert "2 values at `$` for 0 names" in refusal([1, 2], {"columns": None}, PLAIN)


def test_a_row_without_values_fits_headers_without_names() -> None:
    assert zipped({"id": 1}, {}, VALUES) == {"id": 1}


@pytest.mark.parametrize("same", [["a", "a"], ["a", "b", "a"]])
def test_a_name_that_is_there_twice_is_refused(same: list[str]) -> None:
    assert refusal([1] * len(same), {"columns": same}, PLAIN).startswith(
        "the name `a` is there twice"
    )


def test_a_name_of_two_arrays_or_of_another_field_is_refused() -> None:
    both = (Zip(("a",), "v"), Zip(("a",), "w"))
    assert "the name `a` is there twice" in refusal({"v": [1], "w": [2]}, {}, *both)
    assert "a row has a field `a`" in refusal({"v": [1], "a": 2}, {}, Zip(("a",), "v"))


@pytest.mark.parametrize(
    ("names", "kind"),
    [([1], "a number"), ([None], "null"), ([" "], "an empty text"), ([["a"]], "a list")],
)
def test_a_name_must_be_a_text(names: list[Any], kind: str) -> None:
    assert f"one of the names at `columns` is {kind}" in refusal([1], {"columns": names}, PLAIN)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"v": 5}, "`v[*].value` is a number and no list"),
        ({"v": {"value": 1}}, "`v[*].value` is an object and no list"),
        ({"v": [1, 2]}, "an element of the list at `v[*].value` is a number and no object"),
        ([1, 2], "a row is a list and no object"),
        (None, "a row is null and no object"),
        ("text", "a row is a text and no object"),
    ],
)
def test_values_of_another_form_are_refused_and_not_shown(row: Any, text: str) -> None:
    assert text in refusal(row, HEADERS, VALUES)


@pytest.mark.parametrize(
    ("row", "kind"), [({"a": 1}, "an object"), (5, "a number"), (None, "null")]
)
def test_a_row_that_must_be_a_list_is_one(row: Any, kind: str) -> None:
    assert f"a row is {kind} and no list" in refusal(row, {"columns": ["a"]}, PLAIN)


def test_a_value_that_an_element_lacks_is_null_and_moves_no_other() -> None:
    assert zipped({"v": [{}, {"value": "2"}]}, HEADERS, VALUES) == {"a": None, "b": 2.0}


def test_types_must_be_as_many_as_names() -> None:
    types = Zip(("a", "b"), "$", "types")

    assert "2 names at `names` and 1 type at `types`" in refusal([1, 2], {"types": ["Date"]}, types)
    assert "2 names at `names` and 0 types at `types`" in refusal([1, 2], {}, types)


def test_a_type_that_is_no_word_leaves_values_as_they_are() -> None:
    body = {"types": [None, {"kind": "Date"}]}

    assert zipped(["1", "2"], body, Zip(("a", "b"), "$", "types")) == {"a": "1", "b": "2"}


def test_fields_that_the_entry_types_as_text_stay_as_they_are() -> None:
    zipped = ZippedRows([VALUES], HEADERS, lambda name: name == "a")

    assert zipped({"v": [{"value": "007"}, {"value": "2"}]}) == {"a": "007", "b": 2.0}
