"""Loads of `orders` by dlt alone, and the tables that they make, to compare with."""

from typing import Any

import dlt
import duckdb
from dlt.pipeline.pipeline import Pipeline


def load(
    pipeline: Pipeline, rows: Any, disposition: Any, columns: Any = None, key: Any = "id"
) -> None:
    pipeline.run(
        rows,
        table_name="orders",
        primary_key=key,
        write_disposition=disposition,
        columns=columns,
        loader_file_format="parquet",
    )


def stock_pipeline(file: str) -> Pipeline:
    return dlt.pipeline(
        "stock", destination=dlt.destinations.duckdb(file), dataset_name="analytics"
    )


def content(file: str) -> dict[str, list[Any]]:
    """All rows of all tables without the ids of dlt, and those of children with their order's."""
    with duckdb.connect(file) as connection:
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'analytics' "
            "AND table_name LIKE 'orders%' ORDER BY 1"
        ).fetchall()
        found = {}
        for (table,) in tables:
            connection.execute(f"FROM analytics.{table}")
            columns = sorted(name for name, *_ in connection.description or ())
            own = [name for name in columns if not name.startswith("_dlt")]
            if "_dlt_valid_to" in columns:
                own += ["CAST(_dlt_valid_to IS NULL AS VARCHAR)"]
            parent = table.rpartition("__")[0]
            of = f"JOIN analytics.{parent} AS parent ON child._dlt_parent_id = parent._dlt_id"
            values = ", ".join(name if "(" in name else f"child.{name}" for name in own)
            rows = connection.execute(
                f"SELECT {values} FROM analytics.{table} AS child {of if parent else ''}"
            ).fetchall()
            [[count]] = connection.execute(f"SELECT count(*) FROM analytics.{table}").fetchall()
            assert parent == "" or len(rows) == count  # each child has one parent
            found[table] = [own, *sorted(map(repr, rows))]
    return found
