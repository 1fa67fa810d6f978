"""Rows as JSON, parsed by Arrow into columns without a Python object for each value.

Arrow converts no type: a text is no number, and an unknown or a repeated field is an error. The
cases in which it is more lenient than a contract are checked here.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analytics_assets.contract.column import Column
from analytics_assets.contract.fields import Fields, NestedObject, NestedRows
from analytics_assets.extract.rows.arrow import table_of_arrays
from analytics_assets.extract.rows.row_type import RowType

if TYPE_CHECKING:
    import pyarrow as pa

PARSED_TYPES = ("text", "bigint", "double", "bool", "timestamp", "date")
# Arrow also accepts times without seconds, or without minutes
TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
LOCAL_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?$"  # which counts as UTC


def table_of_json(
    row_type: RowType, pages: Sequence[bytes], counts: Sequence[int]
) -> "pa.Table | None":
    """Parse several pages into one table.

    Args:
        row_type: the type of the rows.
        pages: lists of rows, as valid JSON.
        counts: the expected number of rows of each.

    Returns:
        The table, by the names of its columns; None if a page has another number of rows, or a
        row may not fit.
    """
    import pyarrow as pa

    columns = row_type.contract.columns
    if any(column.data_type not in PARSED_TYPES for column in columns):
        return None
    text = b"\n".join(b'{"rows":%b}' % page for page in pages)
    try:
        if b"\\u0000" in text:  # which PostgreSQL cannot store
            return None
        if not text.isascii():
            text.decode()  # Arrow accepts bytes that are not UTF-8
        rows = _rows(row_type, text, counts)
        arrays = None if rows is None else _columns(rows, row_type.fields)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if arrays is None:
        return None
    return table_of_arrays(row_type.contract, [arrays[column.name] for column in columns])


def _rows(row_type: RowType, text: bytes, counts: Sequence[int]) -> "pa.StructArray | None":
    """Return the rows in JSON's types; None if a page has another number of them."""
    import pyarrow as pa
    from pyarrow import json

    pages = json.read_json(
        pa.BufferReader(text),
        json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        json.ParseOptions(
            pa.schema([("rows", pa.list_(_json_type(row_type.fields)))]),
            newlines_in_values=True,
            unexpected_field_behavior="error",
        ),
    ).column("rows")
    pages = pages.combine_chunks()
    if pages.value_lengths().to_pylist() != list(counts):
        return None
    return None if pages.values.null_count else pages.values


def _columns(objects: "pa.StructArray", fields: Fields) -> "dict[str, pa.Array] | None":
    """Return the columns in their types, by name; None if a value may not fit."""
    found: dict[str, pa.Array] = {}
    for part, values in zip(fields.values(), objects.flatten(), strict=True):
        if part is None:
            continue
        if isinstance(part, NestedRows):
            raise NotImplementedError
        if values.null_count > objects.null_count and not part.nullable:
            return None
        if isinstance(part, NestedObject):
            inner = _columns(values, part.fields)
        else:
            typed = _typed(part, values)
            inner = None if typed is None else {part.name: typed}
        if inner is None:
            return None
        found |= inner
    return found


def _json_type(part: "Column | NestedObject | NestedRows | Fields | None") -> "pa.DataType":
    import pyarrow as pa

    if isinstance(part, NestedObject):
        part = part.fields
    if isinstance(part, dict):
        return pa.struct([(name, _json_type(inner)) for name, inner in part.items()])
    if part is None:
        return pa.null()
    if isinstance(part, NestedRows):
        return pa.list_(_json_type(part.element))
    types = {"bigint": pa.int64(), "double": pa.float64(), "bool": pa.bool_()}
    return types.get(part.data_type, pa.string())


def _typed(column: Column, values: "pa.Array") -> "pa.Array | None":
    """Return a column in its type; None if a value may not fit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.data_type == "date":
        return pc.cast(values, pa.date32())
    if column.data_type == "timestamp":
        for pattern, kind in ((TIME, pa.timestamp("us", "UTC")), (LOCAL_TIME, pa.timestamp("us"))):
            fits = pc.match_substring_regex(values, pattern)
            if pc.all(fits, min_count=0).as_py():
                return pc.cast(pc.cast(values, kind), pa.timestamp("us", "UTC"))
        return None
    return values
