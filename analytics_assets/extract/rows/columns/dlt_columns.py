"""The columns that dlt adds to rows, and the child tables that it makes of lists, in Arrow."""

from base64 import b64encode
from collections.abc import Iterator
from secrets import token_bytes
from typing import TYPE_CHECKING, NamedTuple

from dlt.common.schema.typing import C_DLT_ID, C_DLT_LOAD_ID

from analytics_assets.extract.rows.columns.compat import LIST_INDEX, PARENT_ID, ROOT_ID

if TYPE_CHECKING:
    import pyarrow as pa

ID_LENGTH = 16  # letters of base 64, of 12 random bytes


class LoadedTable(NamedTuple):
    """Rows that dlt can load.

    Args:
        rows: the rows.
        name: the child table; empty for the table of the resource.
        parent: the table of its parent; empty for that of the resource.
    """

    rows: "pa.Table"
    name: str = ""
    parent: str = ""


def with_dlt_columns(table: "pa.Table", load_id: str) -> "Iterator[LoadedTable]":
    """Add the columns that dlt adds to rows.

    A table can then be loaded as Arrow or row by row, and both ways in one load.

    Args:
        table: rows, with lists of rows in columns that have the names of child tables.
        load_id: the load that they belong to.

    Yields:
        The rows, and those of the child tables, each after its parent.
    """
    import pyarrow as pa

    rows, ids = table.num_rows, _ids(table.num_rows)
    root, lists = _divided(table.replace_schema_metadata(None))
    root = _appended(root, C_DLT_LOAD_ID, pa.repeat(pa.scalar(load_id), rows))
    yield LoadedTable(_appended(root, C_DLT_ID, ids))
    yield from _children("", lists, ids, ids)


def _children(
    parent: str, lists: "pa.Table", parents: "pa.Array", roots: "pa.Array"
) -> "Iterator[LoadedTable]":
    """Yield the child tables of lists.

    Args:
        parent: the name of the parent.
        lists: the lists of each row of the parent.
        parents: the identifier of each row of the parent.
        roots: the identifier of the row of the resource that it belongs to.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in lists.column_names:
        column = lists.column(name).combine_chunks()
        places = pc.list_parent_indices(column)
        count = len(places)
        if not count:
            continue
        values = column.flatten()
        fields = list(values.type)
        child, inner = _divided(pa.table(values.flatten(), schema=pa.schema(fields)))
        ids, root_ids = _ids(count), roots.take(places)
        if ROOT_ID in child.column_names:
            child = _appended(child.drop_columns([ROOT_ID]), ROOT_ID, root_ids)
        starts = column.offsets.slice(0, len(column)).cast(pa.int64()).take(places)
        first = column.offsets[0].as_py()
        numbers = pa.array(range(first, first + count), pa.int64())
        child = _appended(child, PARENT_ID, parents.take(places))
        child = _appended(child, LIST_INDEX, pc.subtract(numbers, starts))
        yield LoadedTable(_appended(child, C_DLT_ID, ids), name, parent)
        yield from _children(name, inner, ids, root_ids)


def _divided(table: "pa.Table") -> "tuple[pa.Table, pa.Table]":
    """Return the columns of a table, and the lists that become tables of their own."""
    import pyarrow as pa

    lists = [field.name for field in table.schema if pa.types.is_list(field.type)]
    return table.drop_columns(lists), table.select(lists)


def _appended(table: "pa.Table", name: str, values: "pa.Array") -> "pa.Table":
    import pyarrow as pa

    return table.append_column(pa.field(name, values.type, nullable=False), values)


def _ids(count: int) -> "pa.Array":
    """Return random texts, two letters longer than dlt's own row identifiers."""
    import pyarrow as pa

    text = pa.py_buffer(b64encode(token_bytes(ID_LENGTH * 3 // 4 * count)))
    return pa.Array.from_buffers(pa.binary(ID_LENGTH), count, [None, text]).cast(pa.string())
