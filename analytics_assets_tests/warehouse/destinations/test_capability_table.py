"""The table of destinations in docs/warehouses.md, made of dlt's capabilities."""

import os
from dataclasses import replace
from typing import Any

import dlt
import pytest

from analytics_assets.warehouse.destinations.capabilities import WITHOUT_QUERIES
from analytics_assets.warehouse.destinations.supported import destination_of
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT

PAGE = ROOT / "docs" / "warehouses.md"
END = "<!-- end -->"
HEADER = "| destination | merge strategies | transaction | table formats | load files | dialect |"
OF_SETTINGS = ("ducklake", "sqlalchemy")  # whose capabilities depend on the database behind them


def row(kind: str) -> str:
    """Return the row of a destination."""
    if kind in OF_SETTINGS:
        return f"| `{kind}` | as the database behind it | | | | |"
    destination: Any = destination_of(kind, "analytics")
    able = destination.capabilities(destination.spec())
    own = replace(Warehouse.from_settings("shop"), destination_type=kind).loader_file_format
    formats = () if kind == "filesystem" else able.supported_table_formats or ()
    cells = (
        f"`{kind}`",
        ", ".join(able.supported_merge_strategies),
        "yes" if able.supports_transactions else "no",
        "delta" if kind == "filesystem" else ", ".join(formats),
        own or able.preferred_loader_file_format or able.preferred_staging_file_format or "",
        able.sqlglot_dialect or "",
    )
    return f"| {' | '.join(cells)} |"


def test_the_table_in_the_docs_is_what_dlt_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "warehouse.duckdb")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", "lake")
    kinds = sorted({*dlt.destinations.__all__} - {*WITHOUT_QUERIES})
    made = "\n".join([HEADER, "| --- " * 6 + "|", *map(row, kinds)])
    text = PAGE.read_text()
    before, _, rest = text.partition("<!-- generated: ")
    comment, _, after = rest.partition("-->\n")
    expected = f"{before}<!-- generated: {comment}-->\n{made}\n{END}{after.partition(END)[2]}"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(expected)
    assert text == expected, "run it with UPDATE_SNAPSHOTS=1, and look at what has changed"


def test_each_destination_of_dlt_has_a_line_about_its_state() -> None:
    states = PAGE.read_text().partition("## By dlt")[0]
    assert [kind for kind in dlt.destinations.__all__ if f"`{kind}`" not in states] == []
