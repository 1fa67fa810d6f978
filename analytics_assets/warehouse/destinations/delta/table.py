"""A Delta table: its columns in dlt's types, and changes of its rows in one commit each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dlt.common.schema.typing import C_DLT_ID, TColumnSchema, TTableSchemaColumns

from analytics_assets.config.errors import listed
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.parquet_files import parquet_files

if TYPE_CHECKING:  # a warehouse of another kind does without
    import pyarrow as pa
    from deltalake import DeltaTable
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

# the metadata of a field with dlt's type, where Delta has no such type and stores texts
KIND = "dlt_type"
AS_TEXT = ("json", "time", "wei")
DELETED = "_dlt_row_goes"  # the column of a change that is true for rows to delete
UNREADABLE = {"deletionVectors", "columnMapping"}
TYPES = {
    "text": "VARCHAR",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "bigint": "BIGINT",
    "binary": "BLOB",
    "date": "DATE",
}
UNKNOWN = ("TIME", "TIME WITH TIME ZONE", "INTERVAL", '"NULL"')  # types of DuckDB alone
RETENTION = 168  # hours for which files that no version needs stay: those who read may need them
MOST_FILES = 100  # of a table: each read opens all of them


def open_delta_table(location: str, options: Mapping[str, str]) -> "DeltaTable | None":
    """Return the newest version of a Delta table; None if there is none.

    Args:
        location: the URL of its folder.
        options: those of the object store.

    Raises:
        WarehouseError: the package `deltalake` is not installed.
    """
    try:
        from deltalake import DeltaTable
    except ImportError:
        raise WarehouseError(
            "The destination filesystem needs the package `deltalake`, which is not installed: run "
            "pip install 'analytics_assets[delta]'."
        ) from None
    if not DeltaTable.is_deltatable(location, dict(options)):
        return None
    return DeltaTable(location, storage_options=dict(options))


def columns_of(table: "DeltaTable") -> TTableSchemaColumns:
    """Return the columns of a Delta table in dlt's types."""
    import pyarrow as pa

    return {field.name: _column(field) for field in pa.schema(table.schema().to_arrow())}


def rows_of(table: "DeltaTable") -> str:
    """Return SQL of DuckDB for the rows of a version of a Delta table.

    DuckDB has an extension for Delta, which it would download. Its scan of an Arrow dataset, which
    `deltalake` makes of a table, fails at each condition on a text: DuckDB 2.0 sends a type that
    pyarrow cannot compare.

    Raises:
        WarehouseError: the files alone do not say which rows the table has.
    """
    if features := UNREADABLE.intersection(table.protocol().reader_features or ()):
        raise WarehouseError(
            f"The Delta table {table.table_uri} has the features {listed(sorted(features))}, which "
            "another program has switched on, and which are not supported here: load into another "
            "folder (`destination.filesystem.bucket_url`), or rewrite the table without them."
        )
    columns = columns_of(table)
    nulls = ", ".join(
        f"CAST(NULL AS {sql_type(column)}) AS {quoted(name)}" for name, column in columns.items()
    )
    empty = f"SELECT {nulls} WHERE false"
    # the folder of the table is encoded as in a URL; those of its partitions are as they are named
    folder = table.table_uri.removeprefix("file://")
    files = [unquote(folder) + file.removeprefix(folder) for file in table.file_uris()]
    if not files:
        return empty
    parts = {name: sql_type(columns[name]) for name in table.metadata().partition_columns}
    return f"{empty} UNION ALL BY NAME FROM {parquet_files(files, parts)}"


def sql_type(column: Mapping[str, Any]) -> str:
    """Return DuckDB's type of a column of dlt."""
    kind = str(column["data_type"])
    if kind in AS_TEXT:
        return "VARCHAR"
    if kind == "timestamp":
        return "TIMESTAMPTZ" if column.get("timezone", True) else "TIMESTAMP"
    if kind == "decimal":
        precision, scale = column.get("precision"), column.get("scale")
        return f"DECIMAL({precision or 38}, {9 if scale is None else scale})"
    return TYPES[kind]


def _column(field: "pa.Field") -> TColumnSchema:
    import pyarrow as pa
    from dlt.common.libs.pyarrow import get_column_type_from_py_arrow

    own = (field.metadata or {}).get(KIND.encode())
    if own:
        return {"name": field.name, "data_type": own.decode(), "nullable": True}
    found: dict[str, Any] = dict(get_column_type_from_py_arrow(field.type))
    if pa.types.is_timestamp(field.type):
        found.pop("precision", None)  # all have microseconds
    return {"name": field.name, **found, "nullable": True}  # type: ignore[typeddict-item]


def arrow_schema(
    columns: Mapping[str, TColumnSchema], stored: "pa.Schema | None" = None
) -> "pa.Schema":
    """Return the types in which the columns of a load are written.

    Args:
        columns: the columns of the load.
        stored: the types of the table, which stay; None before its first load.
    """
    import pyarrow as pa

    known = {field.name: field for field in stored} if stored is not None else {}
    return pa.schema([known.get(name) or _field(name, each) for name, each in columns.items()])


def _field(name: str, column: TColumnSchema) -> "pa.Field":
    import pyarrow as pa

    kind = str(column["data_type"])
    if kind in AS_TEXT:
        return pa.field(name, pa.string(), metadata={KIND: kind})
    if kind == "timestamp":
        zone = "UTC" if column.get("timezone", True) else None
        return pa.field(name, pa.timestamp("us", tz=zone))
    if kind == "decimal":
        precision, scale = column.get("precision"), column.get("scale")
        return pa.field(name, pa.decimal128(precision or 38, 9 if scale is None else scale))
    types = {
        "text": pa.string(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "bigint": pa.int64(),
        "binary": pa.binary(),
        "date": pa.date32(),
    }
    return pa.field(name, types[kind])


def change_rows(table: "DeltaTable", changes: Any) -> None:
    """Delete, replace and insert rows of a Delta table, in one commit.

    A commit that meets another one fails, unless that one changed other files.

    Args:
        table: the table.
        changes: Arrow batches with the columns of the table and `DELETED`: a row replaces the one
            with its `_dlt_id`, or is new; a deleted one needs that column alone.
    """
    names = [field.name for field in table.schema().fields if field.name in changes.schema.names]
    values = {quoted(name): f"source.{quoted(name)}" for name in names}
    deleted = f"source.{quoted(DELETED)}"
    (
        _matching(table, changes)
        .when_matched_delete(predicate=deleted)
        .when_matched_update(values, predicate=f"NOT {deleted}")
        .when_not_matched_insert(values, predicate=f"NOT {deleted}")
        .execute()
    )


def _matching(table: "DeltaTable", rows: Any) -> Any:
    """Return a merge of rows by dlt's identifiers."""
    row_id = quoted(C_DLT_ID)
    predicate = f"target.{row_id} = source.{row_id}"
    return table.merge(rows, predicate, source_alias="source", target_alias="target")


def set_values(table: "DeltaTable", ids: Sequence[str], values: Mapping[str, str]) -> None:
    """Set texts in some rows, in one commit.

    Args:
        table: the table.
        ids: dlt's identifiers of the rows.
        values: the texts by column.
    """
    import pyarrow as pa

    changes: dict[str, Any] = {C_DLT_ID: list(ids)}
    changes |= {name: [value] * len(ids) for name, value in values.items()}
    assigned = {quoted(name): f"source.{quoted(name)}" for name in values}
    _matching(table, pa.table(changes)).when_matched_update(assigned).execute()


def delete_rows(table: "DeltaTable", ids: Sequence[str]) -> None:
    """Delete rows, in one commit.

    Args:
        table: the table.
        ids: dlt's identifiers of the rows.
    """
    import pyarrow as pa

    if ids:
        change_rows(table, pa.table({C_DLT_ID: list(ids), DELETED: [True] * len(ids)}))


def tidy(table: "DeltaTable") -> None:
    """Put small files together, and remove those that no version of the last week needs."""
    if len(table.file_uris()) > MOST_FILES:
        table.optimize.compact()
    table.vacuum(RETENTION, dry_run=False)


def written_rows(
    connection: "DuckDBPyConnection", query: str, schema: "pa.Schema", folder: Path
) -> "pa.RecordBatchReader":
    """Return the rows of a query, in the types of a table.

    They pass through a file: `deltalake` reads them in threads of its own, which would wait for the
    interpreter while it waits for them.

    Args:
        connection: the connection for the query.
        query: the query.
        schema: the types.
        folder: an empty folder for the file.
    """
    from pyarrow.dataset import dataset

    file = folder / "rows.parquet"
    connection.execute(f"COPY ({query}) TO '{_literal(str(file))}' (FORMAT parquet)")
    return dataset(str(file), schema=schema, format="parquet").scanner().to_reader()


def storable(rows: "DuckDBPyRelation") -> "DuckDBPyRelation":
    """Return rows with texts in place of the types of DuckDB that Delta does not have."""
    return rows.project(
        ", ".join(
            f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}"
            if str(kind) in UNKNOWN
            else quoted(name)
            for name, kind in zip(rows.columns, rows.types, strict=True)
        )
    )


def _literal(text: str) -> str:
    return text.replace("'", "''")


def quoted(name: str) -> str:
    """Return the name of a column as it stands in a query."""
    return '"{}"'.format(name.replace('"', '""'))
