"""Loads into Delta tables, and their rows as `deltalake` itself reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dlt
from deltalake import DeltaTable

from analytics_assets.warehouse.warehouse import Warehouse

MERGE: Any = {"disposition": "merge", "strategy": "delete-insert"}


def store(
    warehouse: Warehouse,
    rows: Sequence[Any],
    disposition: Any = MERGE,
    table: str = "orders",
    **hints: Any,
) -> str:
    """Load rows, by the key `id` unless hints say otherwise; return dlt's id of the load."""
    with warehouse.loading("shop", table=table) as pipeline:
        given = {"primary_key": "id", "write_disposition": disposition, **hints}
        resource = dlt.resource(list(rows), name=table, **given)
        info = pipeline.run(resource, loader_file_format="parquet")
    return str(info.loads_ids[-1])


def delta_table(table: str = "orders") -> DeltaTable:
    """Open a table of the warehouse of the fixture."""
    return DeltaTable(str(Path("lake").absolute() / "analytics" / table))


def stored(table: str = "orders") -> list[dict[str, Any]]:
    """Return the rows of a table without dlt's columns, in the order of `id`."""
    rows = delta_table(table).to_pyarrow_table().to_pylist()
    own = [
        {name: value for name, value in row.items() if not name.startswith("_dlt")} for row in rows
    ]
    return sorted(own, key=lambda row: str(row["id"]))
