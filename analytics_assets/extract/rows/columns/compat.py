"""Undocumented interfaces of dlt 1.31 for rows, each with a test of dlt's behaviour."""

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import dlt
from dlt import Schema
from dlt.common.configuration.container import Container
from dlt.common.destination.capabilities import DestinationCapabilitiesContext
from dlt.common.schema.exceptions import SchemaException
from dlt.common.schema.typing import C_DLT_ID, TTableSchemaColumns
from dlt.common.schema.utils import normalize_table_identifiers
from dlt.extract import DltResource
from dlt.normalize.items_normalizers.jsonl import JsonLItemsNormalizer

# raised by dlt 1.31 where its schema refuses a row: a null in a key, or a column of `freeze`
SchemaError = SchemaException

# the columns that dlt 1.31 adds to rows of a child table; the root's if the loads are merges
PARENT_ID, LIST_INDEX, ROOT_ID = "_dlt_parent_id", "_dlt_list_idx", "_dlt_root_id"
CHILD_COLUMNS: TTableSchemaColumns = {
    PARENT_ID: {"name": PARENT_ID, "data_type": "text", "nullable": False, "parent_key": True},
    LIST_INDEX: {"name": LIST_INDEX, "data_type": "bigint", "nullable": False},
    C_DLT_ID: {
        "name": C_DLT_ID,
        "data_type": "text",
        "nullable": False,
        "unique": True,
        "row_key": True,
    },
}
ROOT_COLUMN: TTableSchemaColumns = {
    ROOT_ID: {"name": ROOT_ID, "data_type": "text", "nullable": False, "root_key": True}
}

COPIES = 20  # attempts to copy a schema that changes meanwhile


class SchemaInference:
    """Columns that dlt would infer from rows of a resource, in a copy of the source's schema.

    dlt 1.31 infers columns only while it normalizes the files of a load, after the extraction:
    `JsonLItemsNormalizer`, which does so, is not documented.

    Args:
        resource: the resource whose rows are being extracted.
        schema: that of its source, if there is no load.
    """

    def __init__(self, resource: DltResource, schema: Schema | None = None) -> None:
        schema = schema.clone(update_normalizers=True) if schema else _copy_of_schema()
        root = normalize_table_identifiers(resource.compute_table_schema(), schema.naming)
        nested = resource.compute_nested_table_schemas(str(root["name"]), schema.naming)
        for table in (root, *nested):
            schema.update_table(table)
        self.schema = schema.clone()  # only a new normalizer adds the root to rows of child tables
        self.table = str(root["name"])
        container = Container()
        capabilities = (
            container[DestinationCapabilitiesContext]
            if DestinationCapabilitiesContext in container
            else DestinationCapabilitiesContext.generic_capabilities()
        )
        self._loaded: dict[str, list[Mapping[str, Any]]] = {}
        nothing: Any = SimpleNamespace(write_data_item=self._keep)  # it writes no file
        config: Any = SimpleNamespace(destination_capabilities=capabilities)
        self._normalizer = JsonLItemsNormalizer(
            *(nothing, nothing, nothing, self.schema, "", config)
        )

    def infer(self, rows: Sequence[Any]) -> None:
        """Extend the schema by the columns of rows, as if they were loaded."""
        self._normalizer._normalize_chunk(self.table, list(rows), False, skip_write=True)

    def loaded(self, rows: Sequence[Any]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return rows as they would be loaded, by their table: that of the resource, and of lists.

        Their values have the types of the columns, which the rows extend.
        """
        self._loaded = {self.table: []}
        self._normalizer._normalize_chunk(self.table, list(rows), False, skip_write=False)
        return self._loaded

    def _keep(self, _load: str, _schema: str, table: str, row: Any, _columns: Any) -> None:
        self._loaded.setdefault(table, []).append(row)

    def columns(self, table: str) -> TTableSchemaColumns:
        """Return the columns of a table; none if it does not exist."""
        found = self.schema.tables.get(table)
        return found["columns"] if found else {}

    def flattened(self, row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the rows that dlt makes of a row and of the lists in it, each with its table."""
        made = self.schema.normalize_data_item(row, "", self.table)
        return [(table, values) for (table, _, _), values in made]


def _copy_of_schema() -> Schema:
    """Return a copy of the source's schema.

    dlt 1.31 adds the tables of other resources to it, in another thread than that of a read.
    """
    for _ in range(COPIES):
        try:
            return dlt.current.source_schema().clone(update_normalizers=True)
        except RuntimeError:  # a dictionary changed during the copy
            continue
    return dlt.current.source_schema().clone(update_normalizers=True)


class _ChildTable(dict[str, Any]):
    """A child table in a schema during an extraction, with the resource that is asked for.

    dlt 1.31 counts the rows of a file by the `resource` of its table, and refuses to merge schemas
    in which a child table has one.
    """

    def __init__(self, table: Mapping[str, Any], resource: str) -> None:
        super().__init__(table)
        self._resource = resource

    def __missing__(self, key: str) -> str:
        if key != "resource":
            raise KeyError(key)
        return self._resource


def child_rows(table: Any, name: str, parent: str, resource: str) -> Iterator[Any]:
    """Yield rows of a child table as an item of dlt.

    dlt 1.31 makes child tables only while it normalizes rows. A variant of the resource's table
    with a parent is such a table; made by `apply_hints`, it would have the hints of the resource.

    Args:
        table: the rows, as an Arrow table.
        name: the child table.
        parent: the table of the rows that have the lists.
        resource: the resource.
    """
    root = ROOT_COLUMN if ROOT_ID in table.column_names else {}
    dlt.current.source().resources[resource]._hints_variants[name] = {
        "table_name": name,
        "parent_table_name": parent,
        "columns": {**CHILD_COLUMNS, **root},
    }
    yield dlt.mark.with_table_name(table, name)
    tables: Any = dlt.current.source_schema().tables
    tables[name] = _ChildTable(tables[name], resource)
    tables[name].pop("variant_name", None)
