"""Rows as JSON, parsed by Arrow into columns without a Python object for each value.

Arrow converts no type: a text is no number, and an unknown or a repeated field is an error. The
cases in which it is more lenient than a contract are checked here.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import orjson

from analytics_assets.contract.column import Column
from analytics_assets.contract.fields import Fields, NestedObject, NestedRows
from analytics_assets.contract.rows.numbers import loses_digits
from analytics_assets.contract.rows.storage_limits import may_be_out_of_range
from analytics_assets.extract.rows.columns.arrow_types import arrow_type, table_of_arrays
from analytics_assets.extract.rows.columns.compat import ROOT_ID
from analytics_assets.extract.rows.columns.json_texts import rewritten
from analytics_assets.extract.rows.columns.row_type import RowType, columns_of

if TYPE_CHECKING:
    import pyarrow as pa

# Arrow also accepts times without seconds, or without minutes
CLOCK = r"\d\d:\d\d:\d\d(\.\d{1,6})?"
TIME = rf"^\d{{4}}-\d\d-\d\d[T ]{CLOCK}(Z|[+-]\d\d:?\d\d)$"  # without a zone, it is in UTC
# of all times that Arrow reads, these alone have this length
SECONDS_IN_UTC = len("2026-01-31T23:30:00Z")
# Arrow reads a decimal from a text, too, that is no number of JSON
NUMBER = rb'(?!-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")'
CUT_TO_MICROSECONDS = r"(\.\d{6})\d+", r"\1"
DAY = "1970-01-01T"


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
    if row_type.is_closed:
        return None
    kinds = {column.data_type for column in columns_of(row_type.fields, with_child_tables=True)}
    exact = not kinds.isdisjoint(("double", "json"))
    if exact and any(map(loses_digits, pages)):
        return None
    table = None if "json" in kinds else _table(row_type, pages, counts)
    if table is None and not kinds.isdisjoint(("json", "bigint")):
        with suppress(msgspec.MsgspecError, orjson.JSONEncodeError, ValueError, RecursionError):
            if exact or not any(map(loses_digits, pages)):
                rewritten_pages = [rewritten(row_type.fields, page) for page in pages]
                return _table(row_type, rewritten_pages, counts)
    return table


def _table(row_type: RowType, pages: Sequence[bytes], counts: Sequence[int]) -> "pa.Table | None":
    import pyarrow as pa

    text = b"".join([part for page in pages for part in (b'{"rows":', page, b"}\n")])
    try:
        if not _is_plain(row_type, text):
            return None
        rows = _rows(row_type, text, counts)
        found = None if rows is None else _columns(rows, row_type.fields)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    return None if found is None else table_of_arrays(row_type.contract, found)


def _is_plain(row_type: RowType, text: bytes) -> bool:
    """Test that pages have nothing that Arrow accepts and the validation rejects."""
    # a lone backslash is found a hundred times faster than what it may begin
    if b"\\" in text and b"\\u0000" in text:  # which PostgreSQL cannot store
        return False
    if not text.isascii():
        text.decode()  # Arrow accepts bytes that are not UTF-8
    decimals = [
        part
        for part in columns_of(row_type.fields, with_child_tables=True)
        if part.data_type == "decimal"
    ]
    names = b"|".join(re.escape(json.dumps(column.path[-1]).encode()) for column in decimals)
    if decimals and re.search(rb"(?:%b)\s*:\s*\"%b" % (names, NUMBER), text):
        return False
    return not (row_type.is_inferred and may_be_out_of_range(text))


def _rows(row_type: RowType, text: bytes, counts: Sequence[int]) -> "pa.StructArray | None":
    """Return the rows in JSON's types; None if a page has another number of them."""
    import pyarrow as pa
    from pyarrow import json as arrow_json

    pages = arrow_json.read_json(
        pa.BufferReader(text),
        arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        arrow_json.ParseOptions(
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
    """Return the columns in their types, by name; None if a value may not fit.

    Lists of rows of a child table have the name of the table.
    """
    found: dict[str, pa.Array] = {}
    for part, values in zip(fields.values(), objects.flatten(), strict=True):
        if part is None:
            continue
        if isinstance(part, NestedRows):
            inner = _lists(part, values)
        elif values.null_count > objects.null_count and not part.nullable:
            return None
        elif isinstance(part, NestedObject):
            inner = _columns(values, part.fields)
        else:
            typed = _typed(part, values)
            inner = None if typed is None else {part.name: typed}
        # two fields may become one column: that is refused where the rows are loaded
        if inner is None or not found.keys().isdisjoint(inner):
            return None
        found |= inner
    return found


def _lists(part: NestedRows, values: "pa.ListArray") -> "dict[str, pa.Array] | None":
    """Return the lists of the rows of a child table, by its name."""
    import pyarrow as pa

    elements = values.values
    if part.element is None:
        return None if len(elements) else {}
    if isinstance(part.element, Column):
        typed = _typed(part.element, elements)
        found = None if typed is None else {part.element.name: typed}
    else:
        found = _columns(elements, part.element)
    if found is None:
        return None
    if part.has_root:
        found[ROOT_ID] = pa.nulls(len(elements), pa.string())
    rows = pa.StructArray.from_arrays(list(found.values()), list(found))
    return {part.table: pa.ListArray.from_arrays(values.offsets, rows)}


def _json_type(part: "Column | NestedObject | NestedRows | Fields | None") -> "pa.DataType":
    import pyarrow as pa

    if isinstance(part, NestedRows):
        return pa.list_(_json_type(part.element))
    if isinstance(part, NestedObject):
        part = part.fields
    if isinstance(part, dict):
        return pa.struct([(name, _json_type(inner)) for name, inner in part.items()])
    if part is None:
        return pa.null()
    kinds = {"bigint": pa.int64(), "double": pa.float64(), "bool": pa.bool_()}
    return (
        arrow_type(part) if part.data_type == "decimal" else kinds.get(part.data_type, pa.string())
    )


def _typed(column: Column, values: "pa.Array") -> "pa.Array | None":
    """Return a column in its type; None if a value may not fit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = arrow_type(column)
    if column.data_type == "timestamp":
        if _have_length(values, SECONDS_IN_UTC):
            return pc.cast(values, kind)
        if column.has_zone and not _all_match(values, TIME):
            return None
        if column.nullable:  # a table could not tell such keys apart
            values = pc.replace_substring_regex(values, *CUT_TO_MICROSECONDS)
        has_zone = pc.match_substring_regex(values, TIME)
        in_utc = pc.binary_join_element_wise(values, "Z", "")
        values = pc.if_else(has_zone, values, in_utc)
        return pc.cast(values, kind) if _all_match(values, TIME) else None
    if column.data_type == "time":
        if not _all_match(values, f"^{CLOCK}$"):
            return None
        moments = pc.binary_join_element_wise(DAY, values, "")
        return pc.cast(pc.cast(moments, pa.timestamp("us")), kind)
    if column.data_type == "text" and column.precision:
        longest = pc.max(pc.utf8_length(values)).as_py() or 0
        return values if longest <= column.precision else None
    return values if values.type == kind else pc.cast(values, kind)


def _have_length(texts: "pa.Array", length: int) -> bool:
    import pyarrow.compute as pc

    found = pc.min_max(pc.binary_length(texts)).as_py()
    return bool(found["min"] == found["max"] == length)


def _all_match(texts: "pa.Array", pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(texts, pattern), min_count=0).as_py())
