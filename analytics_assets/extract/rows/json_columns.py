"""Rows as JSON, parsed by Arrow into columns without a Python object for each value.

Arrow converts no type: a text is no number, and an unknown or a repeated field is an error. The
cases in which it is more lenient than the contract are checked here.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import Fields, NestedObject, fields_of
from analytics_assets.extract.rows.arrow import table_of_arrays

if TYPE_CHECKING:
    import pyarrow as pa

PARSED_TYPES = ("text", "bigint", "double", "bool", "timestamp", "date")
# Arrow also accepts times without seconds, or without minutes
TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
LOCAL_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?$"  # which counts as UTC


class JsonTable:
    """Parses lists of rows into tables.

    Args:
        contract: the contract of the rows; all its columns are of `PARSED_TYPES`.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._fields = fields_of(contract.columns)

    @staticmethod
    def can_parse(contract: Contract) -> bool:
        """Test if Arrow parses all types of a contract from JSON."""
        return all(column.data_type in PARSED_TYPES for column in contract.columns)

    def parse(self, pages: Sequence[bytes], rows_each: int) -> "pa.Table | None":
        """Parse several pages into one table.

        Args:
            pages: lists of rows, as valid JSON.
            rows_each: the expected number of rows of each.

        Returns:
            The table, by the names of its columns; None if a page has another number of rows, or a
            row may not fit.
        """
        import pyarrow as pa

        text = b"\n".join(b'{"rows":%b}' % page for page in pages)
        try:
            if b"\\u0000" in text:  # which PostgreSQL cannot store
                return None
            if not text.isascii():
                text.decode()  # Arrow accepts bytes that are not UTF-8
            rows = self._rows(text, rows_each)
            arrays = None if rows is None else _columns(rows, self._fields)
        except (pa.ArrowInvalid, UnicodeDecodeError):
            return None
        if arrays is None:
            return None
        return table_of_arrays(
            self._contract, [arrays[column.field] for column in self._contract.columns]
        )

    def _rows(self, text: bytes, rows_each: int) -> "pa.StructArray | None":
        """Return the rows in JSON's types; None if a page has another number of them."""
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import json

        pages = json.read_json(
            pa.BufferReader(text),
            json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            json.ParseOptions(
                pa.schema([("rows", pa.list_(_json_type(self._fields)))]),
                newlines_in_values=True,
                unexpected_field_behavior="error",
            ),
        ).column("rows")
        pages = pages.combine_chunks()
        if not pc.all(pc.equal(pages.value_lengths(), rows_each), skip_nulls=False).as_py():
            return None
        return None if pages.values.null_count else pages.values


def _columns(objects: "pa.StructArray", fields: Fields) -> "dict[str, pa.Array] | None":
    """Return the columns in their contract's types, by field; None if a value may not fit."""
    found: dict[str, pa.Array] = {}
    for part, values in zip(fields.values(), objects.flatten(), strict=True):
        if values.null_count > objects.null_count and not part.nullable:
            return None
        if isinstance(part, NestedObject):
            inner = _columns(values, part.fields)
        else:
            typed = _typed(part, values)
            inner = None if typed is None else {part.field: typed}
        if inner is None:
            return None
        found |= inner
    return found


def _json_type(part: "Column | Fields") -> "pa.DataType":
    import pyarrow as pa

    if isinstance(part, dict):
        inner = [each.fields if isinstance(each, NestedObject) else each for each in part.values()]
        return pa.struct(list(zip(part, map(_json_type, inner), strict=True)))
    types = {"bigint": pa.int64(), "double": pa.float64(), "bool": pa.bool_()}
    return types.get(part.data_type, pa.string())


def _typed(column: Column, values: "pa.Array") -> "pa.Array | None":
    """Return a column in its contract's type; None if a value may not fit."""
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
