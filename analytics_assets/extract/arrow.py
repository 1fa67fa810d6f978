"""Checked rows as Arrow tables, which dlt loads without looking at each of them."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import dlt
import msgspec
from dlt.common.normalizers.utils import generate_dlt_ids
from dlt.common.schema.typing import C_DLT_ID, C_DLT_LOAD_ID, TTableSchemaColumns
from dlt.common.schema.utils import dlt_id_column, dlt_load_id_column
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable

from analytics_assets.contract import Contract
from analytics_assets.contract.column import Column, DataType

if TYPE_CHECKING:
    import pyarrow as pa

# what dlt adds to rows itself
DLT_COLUMNS: TTableSchemaColumns = {
    C_DLT_LOAD_ID: dlt_load_id_column(),
    C_DLT_ID: dlt_id_column(),
}
PYTHON_TYPES: dict[DataType, Any] = {"timestamp": datetime, "date": date, "time": time}
KNOWN_TYPES = ("text", "bigint", "double", "bool", "json", *PYTHON_TYPES)


class ArrowRows:
    """Makes Arrow tables of rows that fit a contract.

    They have the columns that dlt would add to rows itself, so that a table can be loaded by
    either way, and by both in one load.

    Args:
        contract: what the rows are.
    """

    def __init__(self, contract: Contract) -> None:
        self._columns = contract.columns
        self._hints = contract.hints()
        self._fields = {column.field for column in contract.columns}
        self.possible = contract.has_schema and all(
            column.data_type in KNOWN_TYPES for column in contract.columns
        )

    def table(self, rows: Sequence[dict[str, Any]], load_id: str) -> "pa.Table | None":
        """Make a table of rows.

        Args:
            rows: rows that fit the contract, by the API's names.
            load_id: the load that brings them.

        Returns:
            The table, by the names of its columns; None if there is more in the rows than the
            contract knows.
        """
        if not self.possible or not set().union(*rows) <= self._fields:
            return None
        import pyarrow as pa  # 0.1 s that a look at the definitions need not wait for

        arrays = [_array(column, rows) for column in self._columns]
        arrays.append(pa.array([load_id] * len(rows), pa.string()))
        arrays.append(pa.array(generate_dlt_ids(len(rows)), pa.string()))
        hints = {**self._hints, **DLT_COLUMNS}
        schema = [
            pa.field(name, array.type, nullable=bool(hints[name].get("nullable", True)))
            for name, array in zip(hints, arrays, strict=True)
        ]
        return pa.table(arrays, schema=pa.schema(schema))


def _array(column: Column, rows: Sequence[dict[str, Any]]) -> "pa.Array":
    import pyarrow as pa

    values: list[Any] = [row.get(column.field) for row in rows]
    kind = PYTHON_TYPES.get(column.data_type)
    if kind:
        values = msgspec.convert(values, list[kind | None])  # type: ignore[valid-type]
    if column.data_type == "double":
        values = [value if value is None else float(value) for value in values]
    if column.data_type == "json":
        values = [value if value is None else json.dumps(value) for value in values]
    types = {
        "bigint": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "time": pa.time64("us"),
    }
    return pa.array(values, types.get(column.data_type, pa.string()))


def load_id() -> str | None:
    """Return the load that dlt is just extracting for; None if rows are only looked at."""
    try:
        return str(dlt.current.load_package_state()["load_id"])
    except CurrentLoadPackageStateNotAvailable:
        return None
