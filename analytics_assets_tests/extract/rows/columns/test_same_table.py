"""One table, whichever way its pages take: by stock dlt, row by row, or straight into columns."""

from pathlib import Path
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets_tests.extract.rows.columns.same_table import Loaded, load, pages_of


def assert_same(one: Loaded, other: Loaded, pages: Any) -> None:
    assert one.columns.keys() == other.columns.keys()
    for table in one.columns:
        assert one.columns[table] == other.columns[table], (table, pages)
        assert one.properties[table] == other.properties[table]
        if table != "rejected_rows":  # has the time of its load
            assert one.rows(table) == other.rows(table), (table, pages)


@pytest.mark.parametrize("seed", [0, 3])
def test_typed_pages_make_the_tables_of_stock_dlt(seed: int, tmp_path: Path) -> None:
    # a seed whose fields keep their type: of others, stock dlt alters values
    pages = pages_of(seed)

    stock, typed = load(tmp_path, pages, "stock"), load(tmp_path, pages, "typed")

    assert_same(typed, stock, pages)
    assert not typed.pages_by_dlt


@pytest.mark.parametrize("seed", [1, 5])
def test_typed_pages_make_the_tables_that_rows_make(seed: int, tmp_path: Path) -> None:
    pages = pages_of(seed)

    by_rows, typed = load(tmp_path, pages, "rows"), load(tmp_path, pages, "typed")

    assert_same(typed, by_rows, pages)
    assert typed.pages_typed
    assert typed.pages_by_dlt


def test_a_contract_rejected_rows_and_a_later_load_make_no_difference(tmp_path: Path) -> None:
    contract = Contract(
        "orders",
        (
            Column("id", "number", "bigint", nullable=False),
            Column("clock_only_0", "clock", "time", nullable=True),
            Column("rows_only_2", "list", "json", nullable=True),
        ),
        ("id",),
        {"id": "number", "clock_only_0": "clock", "rows_only_2": "list"},
    )
    pages, later = pages_of(2), pages_of(6)
    pages[1][0]["clock_only_0"] = "noon"
    later[4][0]["id"] = None

    found = {}
    for way in ("rows", "typed"):
        load(tmp_path, pages, way, contract)
        found[way] = load(tmp_path, later, way, contract)

    assert_same(found["typed"], found["rows"], (pages, later))
    for each in found.values():
        assert each.metrics["rows_rejected"] == 1
        each.metrics.pop("items_count")  # children count as items, too
    assert found["typed"].metrics == found["rows"].metrics


@pytest.mark.parametrize("levels", [0, 1])
def test_parts_below_the_last_level_of_nesting_stay_json(levels: int, tmp_path: Path) -> None:
    part = {"kind": {"a": {"b": 1}}, "rows": [{"part": {"c": [1]}}], "list": [1]}
    pages = [[{"id": page, "whole": part}] for page in range(3)]

    stock = load(tmp_path, pages, "stock", max_table_nesting=levels)
    typed = load(tmp_path, pages, "typed", max_table_nesting=levels)

    assert_same(typed, stock, pages)
