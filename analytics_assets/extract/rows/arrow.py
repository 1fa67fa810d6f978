"""Valid rows as Arrow tables, which dlt loads without normalizing each row."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import (
    Fields,
    NestedObject,
    NestedRows,
    fields_of,
    have_other_fields,
)
from analytics_assets.contract.rows.conversion import PRECISION, SCALE
from analytics_assets.extract.compat import silence_json_warnings
from analytics_assets.extract.rows.dlt_columns import with_dlt_columns

if TYPE_CHECKING:
    import pyarrow as pa

PYTHON_TYPES: dict[DataType, Any] = {"timestamp": datetime, "date": date, "time": time}
SAMPLE = b"sample"  # of a table's metadata
SAMPLES: dict[DataType, Any] = {
    "bigint": 0,
    "double": 0.5,
    "bool": True,
    "json": {},
    "decimal": 0.5,
}
MAX_DIGITS = 38  # of a decimal of 128 bits
LARGEST_EXACT = 2**53  # the largest integer up to which a double counts
# 0001-01-02 to 9999-12-30, in microseconds
YEARS = (-62_135_510_400_000_000, 253_402_128_000_000_000)
FIRST_AND_LAST_DAY = (-719_163, 2_932_897)  # neither included, in days
MORE_DIGITS = re.compile(r"(\.\d{6})\d+")  # of a second than dlt keeps; msgspec would round
KNOWN_TYPES = ("text", "bigint", "double", "bool", "json", *PYTHON_TYPES)


class ArrowRows:
    """Converts valid rows to Arrow tables.

    Args:
        contract: the contract of the rows.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._fields = fields_of(contract.columns)
        self.possible = contract.has_schema and all(
            column.data_type in KNOWN_TYPES for column in contract.columns
        )

    def table(self, rows: Sequence[dict[str, Any]], load_id: str) -> "pa.Table | None":
        """Convert rows.

        Args:
            rows: valid rows, by the API's names.
            load_id: the load that they belong to.

        Returns:
            The table, by the names of its columns; None if a row has a field that the contract
            does not name.
        """
        if not self.possible or have_other_fields(rows, self._fields):
            return None
        table = table_of_values(self._contract, lambda column: column.values(rows))
        return table and next(with_dlt_columns(table, load_id)).rows


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


def table_of_values(
    contract: Contract, values: Callable[[Column], Sequence[Any]]
) -> "pa.Table | None":
    """Make a table of the values of valid rows.

    Args:
        contract: the contract of the rows.
        values: returns the values of a column, one per row.

    Returns:
        The table, by the names of its columns; None if Arrow would alter a value.
    """
    import pyarrow as pa  # 0.1 s that loading definitions need not wait for

    try:
        arrays = [_array(column, values(column)) for column in contract.columns]
    except (pa.ArrowInvalid, TypeError, ValueError, OverflowError, RecursionError):
        return None
    except AttributeError:  # no object where one should be
        return None
    return table_of_arrays(contract, arrays)


def table_of_arrays(
    contract: Contract, arrays: Sequence["pa.Array"], lists: Mapping[str, "pa.Array"] | None = None
) -> "pa.Table | None":
    """Make a table of columns in the types of their contract.

    Args:
        contract: the contract of the rows.
        arrays: the columns, in its order.
        lists: rows of child tables, a list for each row, by the names of the tables.

    Returns:
        The table, by the names of its columns; None if Arrow may have altered a value.
    """
    import pyarrow as pa

    lists = lists or {}
    if not all(map(_is_exact, (*arrays, *lists.values()))):
        return None
    if any(column.data_type == "json" for column in contract.columns):
        silence_json_warnings(contract.resource)
    fields = [
        pa.field(column.name, array.type, nullable=column.field not in contract.primary_key)
        for column, array in zip(contract.columns, arrays, strict=True)
    ]
    fields += [pa.field(name, array.type) for name, array in lists.items()]
    return pa.table([*arrays, *lists.values()], schema=pa.schema(fields))


def arrow_type(column: Column) -> "pa.DataType":
    """Return the Arrow type of a column, as dlt writes it to parquet files."""
    import pyarrow as pa

    if column.data_type == "bigint":
        bits = next(size for size in (8, 16, 32, 64) if size >= min(column.precision or 64, 64))
        return {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[bits]
    if column.data_type == "decimal":
        return pa.decimal128(
            column.precision or PRECISION, SCALE if column.scale is None else column.scale
        )
    types = {
        "double": pa.float64(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "time": pa.time64("us"),
    }
    return types.get(column.data_type, pa.string())


def _is_exact(array: "pa.Array") -> bool:
    """Test that no value may have been rounded, or be outside Python's years."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(array.type):
        return _is_exact(array.flatten())
    if pa.types.is_struct(array.type):
        return all(map(_is_exact, array.flatten()))
    if pa.types.is_floating(array.type):
        if not pc.all(pc.is_finite(array), min_count=0).as_py():
            return False
        least, most = -LARGEST_EXACT, LARGEST_EXACT
    elif pa.types.is_timestamp(array.type):
        array, (least, most) = array.cast(pa.int64()), YEARS
    elif pa.types.is_date(array.type):
        array, (least, most) = array.cast(pa.int32()), FIRST_AND_LAST_DAY
    else:
        return True
    found = pc.min_max(array).as_py()
    return found["min"] is None or bool(least < found["min"] and found["max"] < most)


def _array(column: Column, values: Sequence[Any]) -> "pa.Array":
    import pyarrow as pa

    kind = PYTHON_TYPES.get(column.data_type)
    if kind and not {kind, type(None)}.issuperset(map(type, values)):
        values = [MORE_DIGITS.sub(r"\1", each) if type(each) is str else each for each in values]
        values = msgspec.convert(values, list[kind | None])  # type: ignore[valid-type]
    if column.data_type == "json":
        # refuses integers of more than 64 bits, as the validation does
        encode = orjson.dumps
        values = [value if value is None else encode(value).decode() for value in values]
    return pa.array(values, arrow_type(column))
