"""Columns as Arrow arrays, of the types that dlt writes to parquet files."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.conversion import PRECISION, SCALE
from analytics_assets.contract.rows.storage_limits import LARGEST_EXACT
from analytics_assets.extract.compat import silence_json_warnings

if TYPE_CHECKING:
    import pyarrow as pa

KNOWN_TYPES = ("text", "bigint", "double", "bool", "json", "timestamp", "date", "time")
MAX_DIGITS = 38  # of a decimal of 128 bits
# 0001-01-02 to 9999-12-30, in microseconds
YEARS = (-62_135_510_400_000_000, 253_402_128_000_000_000)
FIRST_AND_LAST_DAY = (-719_163, 2_932_897)  # neither included, in days


def table_of_arrays(contract: Contract, arrays: Mapping[str, "pa.Array"]) -> "pa.Table | None":
    """Make a table of columns in the types of their contract.

    Args:
        contract: the contract of the rows.
        arrays: the columns by name, and a list of the rows of each child table for each row.

    Returns:
        The table, in the order of the contract; None if Arrow may have altered a value.
    """
    import pyarrow as pa

    if not all(map(_is_exact, arrays.values())):
        return None
    if any(column.data_type == "json" for column in contract.columns):
        silence_json_warnings(contract.resource)
    keys = {each.name for each in contract.columns if each.field in contract.primary_key}
    names = dict.fromkeys([*(column.name for column in contract.columns), *arrays])
    fields = [pa.field(name, arrays[name].type, nullable=name not in keys) for name in names]
    return pa.table([arrays[name] for name in names], schema=pa.schema(fields))


def arrow_type(column: Column) -> "pa.DataType":
    """Return the Arrow type of a column, as dlt writes it to parquet files."""
    import pyarrow as pa

    if column.data_type == "bigint":
        bits = next(size for size in (8, 16, 32, 64) if size >= min(column.precision or 64, 64))
        return pa.type_for_alias(f"int{bits}")
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
