"""Rows that are taken apart as vendors do it are the same once they are made again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.config.entry.rows import Entries, RowsConfig, Zip
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.extract.rows.reshaping.reshape import Reshape

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=5)
FIELDS = st.lists(NAMES.filter(str.strip), unique=True, min_size=1, max_size=4)
PLAIN = st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.none() | PLAIN | st.lists(st.integers(), max_size=2)
Rows = list[dict[str, Any]]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], Rows]:
    """Names of columns, and rows that have all of them."""
    names = draw(FIELDS)
    rows = st.lists(st.fixed_dictionaries(dict.fromkeys(names, VALUES)), max_size=5)
    return names, draw(rows)


@given(tables(), st.data())
def test_columns_and_rows(table: tuple[list[str], Rows], data: st.DataObject) -> None:
    names, rows = table
    cut = data.draw(st.integers(0, len(names)))
    arrays = [[row[name] for name in names] for row in rows]
    parts = [{"d": array[:cut], "m": [{"v": value} for value in array[cut:]]} for array in arrays]
    body = {"columns": names, "d": names[:cut], "m": [{"n": name} for name in names[cut:]]}

    of_arrays = RowsConfig(zips=(Zip("columns", "$"),))
    of_parts = RowsConfig(zips=(Zip("d", "d"), Zip("m[*].n", "m[*].v")))

    assert Reshape(of_arrays, {})(arrays, body) == rows
    assert Reshape(of_parts, {})(parts, body) == rows


@given(
    st.dictionaries(
        NAMES, st.lists(st.dictionaries(NAMES, PLAIN, max_size=3), max_size=3), max_size=3
    )
)
def test_rows_by_key(days: dict[str, Rows]) -> None:
    key = "a key that no row has"
    rows = Reshape(RowsConfig(Entries((key,))), {})([days], days)

    again: dict[str, Rows] = {}
    for row in rows:
        again.setdefault(row.pop(key), []).append(row)
    assert again == {day: found for day, found in days.items() if found}


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, PLAIN, max_size=3), max_size=3))
def test_values_by_two_keys(found: dict[str, dict[str, Any]]) -> None:
    rows = Reshape(RowsConfig(Entries(("x", "y"), "z")), {})([found], found)

    assert [(row["x"], row["y"], row["z"]) for row in rows] == [
        (x, y, z) for x, inner in found.items() for y, z in inner.items()
    ]


@given(tables(), st.dictionaries(NAMES, VALUES, max_size=2))
def test_fields_are_added_to_each_row_or_refused(
    table: tuple[list[str], Rows], added: dict[str, Any]
) -> None:
    names, rows = table
    arrays = [[row[name] for name in names] for row in rows]
    reshape = Reshape(RowsConfig(zips=(Zip(tuple(names), "$"),)), added)
    try:
        found = reshape(arrays, {})
    except RowsError:
        assert rows
        assert added.keys() & set(names)
    else:
        assert found == [{**row, **added} for row in rows]
        assert not rows or not added.keys() & set(names)
