"""Valid rows as Arrow tables, which dlt loads without normalizing each row."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from dlt.common.schema.typing import C_DLT_ID, C_DLT_LOAD_ID

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import fields_of, have_other_fields
from analytics_assets.extract.compat import DLT_COLUMNS, silence_json_warnings

if TYPE_CHECKING:
    import pyarrow as pa

PYTHON_TYPES: dict[DataType, Any] = {"timestamp": datetime, "date": date, "time": time}
ID_LENGTH = 16  # letters of base 64, of 12 random bytes
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
        return table and with_dlt_columns(table, load_id)


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


def table_of_arrays(contract: Contract, arrays: Sequence["pa.Array"]) -> "pa.Table | None":
    """Make a table of columns in the types of their contract.

    Args:
        contract: the contract of the rows.
        arrays: the columns, in its order.

    Returns:
        The table, by the names of its columns; None if Arrow may have altered a value.
    """
    import pyarrow as pa

    if not all(map(_is_exact, arrays)):
        return None
    if any(column.data_type == "json" for column in contract.columns):
        silence_json_warnings(contract.resource)
    hints = contract.hints()
    fields = [
        pa.field(name, array.type, nullable=bool(hints[name].get("nullable", True)))
        for name, array in zip((each.name for each in contract.columns), arrays, strict=True)
    ]
    return pa.table(arrays, schema=pa.schema(fields))


def with_dlt_columns(table: "pa.Table", load_id: str) -> "pa.Table":
    """Add the columns that dlt adds to rows.

    A table can then be loaded as Arrow or row by row, and both ways in one load.
    """
    import pyarrow as pa

    rows = table.num_rows
    values = {C_DLT_LOAD_ID: pa.repeat(pa.scalar(load_id), rows), C_DLT_ID: _ids(rows)}
    for name in DLT_COLUMNS:
        table = table.append_column(pa.field(name, pa.string(), nullable=False), values[name])
    return table


def _ids(count: int) -> "pa.Array":
    """Return random texts, two letters longer than dlt's own row identifiers."""
    import pyarrow as pa

    text = b64encode(token_bytes(ID_LENGTH * 3 // 4 * count))
    _, ends = pa.array(range(0, len(text) + 1, ID_LENGTH), pa.int32()).buffers()
    return pa.Array.from_buffers(pa.string(), count, [None, ends, pa.py_buffer(text)])


def _is_exact(array: "pa.Array") -> bool:
    """Test that no value may have been rounded, or be outside Python's years."""
    import pyarrow as pa
    import pyarrow.compute as pc

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
    types = {
        "bigint": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "time": pa.time64("us"),
    }
    return pa.array(values, types.get(column.data_type, pa.string()))
