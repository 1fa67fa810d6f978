"""Valid rows as Arrow tables, which dlt loads without normalizing each row."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from analytics_assets.contract.column import DataType
from analytics_assets.contract.fields import Fields, NestedObject, NestedRows
from analytics_assets.extract.rows.columns.json_columns import table_of_json
from analytics_assets.extract.rows.columns.row_type import RowType

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = b"sample"  # of a table's metadata
SAMPLES: dict[DataType, Any] = {
    "bigint": 0,
    "double": 0.5,
    "bool": True,
    "json": {},
    "decimal": 0.5,
}


def import_arrow() -> None:
    """Import the parts of Arrow by which pages are decoded; that takes 0.15 s."""
    import pyarrow.compute
    import pyarrow.json  # noqa: F401


def table_of_rows(row_type: RowType, rows: Sequence[Any]) -> "pa.Table | None":
    """Make a table of valid rows, by the API's names; None if one does not fit."""
    try:
        return table_of_json(row_type, [orjson.dumps(rows, default=str)], [len(rows)])
    except orjson.JSONEncodeError:
        return None


def with_sample(table: "pa.Table", fields: Fields) -> "pa.Table":
    """Add a row to a table's metadata that stands for its rows, by the API's names.

    Args:
        table: the rows.
        fields: their fields.
    """
    columns = zip(table.column_names, table.columns, strict=True)
    filled = {name for name, column in columns if column.null_count < len(column)}
    return table.replace_schema_metadata({SAMPLE: orjson.dumps(_sample(fields, filled))})


def sample_row(table: "pa.Table") -> Any:
    """Return the row that stands for the rows of a table."""
    return orjson.loads(table.schema.metadata[SAMPLE])


def _sample(fields: Fields, filled: Collection[str] | None) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, part in fields.items():
        if isinstance(part, NestedObject):
            row[name] = _sample(part.fields, filled)
        elif isinstance(part, NestedRows):
            element = part.element
            row[name] = [_sample(element, None)] if isinstance(element, dict) else []
        elif part is None:
            row[name] = None
        elif filled is None or part.name in filled:
            row[name] = SAMPLES.get(part.data_type, "")
    return row


def is_table(item: Any) -> bool:
    """Distinguish an Arrow table from a list of rows."""
    return hasattr(item, "num_rows")
