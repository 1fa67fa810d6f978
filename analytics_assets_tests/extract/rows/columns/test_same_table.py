"""One table, whichever way its pages take: by stock dlt, row by row, or straight into columns."""

from pathlib import Path
from typing import Any

import pytest

from analytics_assets_tests.extract.rows.columns.same_table import Loaded, load, pages_of


def assert_same(one: Loaded, other: Loaded, pages: Any) -> None:
    assert one.columns.keys() == other.columns.keys()
    for table in one.columns:
        assert one.columns[table] == other.columns[table], (table, pages)
        assert one.properties[table] == other.properties[table]
        assert one.rows(table) == other.rows(table), (table, pages)


@pytest.mark.parametrize("seed", range(4))
def test_typed_pages_make_the_tables_that_rows_make(seed: int, tmp_path: Path) -> None:
    pages = pages_of(seed)

    by_rows, typed = load(tmp_path, pages, "rows"), load(tmp_path, pages, "typed")

    assert_same(typed, by_rows, pages)
    assert any(typed.typed)


@pytest.mark.parametrize("seed", [0, 3, 6])
def test_typed_pages_make_the_tables_of_stock_dlt(seed: int, tmp_path: Path) -> None:
    # a seed whose fields keep their type: of others, stock dlt alters values
    pages = pages_of(seed)

    stock, typed = load(tmp_path, pages, "stock"), load(tmp_path, pages, "typed")

    assert_same(typed, stock, pages)
    assert all(typed.typed)


def test_a_later_load_merges_into_tables_of_an_earlier_one(tmp_path: Path) -> None:
    pages, later = pages_of(2), pages_of(6)

    for way in ("rows", "typed"):
        load(tmp_path, pages, way)
    by_rows, typed = load(tmp_path, later, "rows"), load(tmp_path, later, "typed")

    assert_same(typed, by_rows, (pages, later))
    assert len(typed.columns) > 2
