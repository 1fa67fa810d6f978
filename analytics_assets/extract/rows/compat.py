"""Undocumented interfaces of dlt 1.31 for rows, each with a test of dlt's behaviour."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import dlt
from dlt.common.configuration.container import Container
from dlt.common.destination.capabilities import DestinationCapabilitiesContext
from dlt.common.schema.exceptions import SchemaException
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.common.schema.utils import normalize_table_identifiers
from dlt.extract import DltResource
from dlt.normalize.items_normalizers.jsonl import JsonLItemsNormalizer

# raised by dlt 1.31 where its schema refuses a row: a null in a key, or a column of `freeze`
SchemaError = SchemaException


class SchemaInference:
    """Columns that dlt would infer from rows of a resource, in a copy of the source's schema.

    dlt 1.31 infers columns only while it normalizes the files of a load, after the extraction:
    `JsonLItemsNormalizer`, which does so, is not documented.

    Args:
        resource: the resource whose rows are being extracted.
    """

    def __init__(self, resource: DltResource) -> None:
        self.schema = dlt.current.source_schema().clone(update_normalizers=True)
        root = normalize_table_identifiers(resource.compute_table_schema(), self.schema.naming)
        nested = resource.compute_nested_table_schemas(str(root["name"]), self.schema.naming)
        for table in (root, *nested):
            self.schema.update_table(table)
        self.table = str(root["name"])
        container = Container()
        capabilities = (
            container[DestinationCapabilitiesContext]
            if DestinationCapabilitiesContext in container
            else DestinationCapabilitiesContext.generic_capabilities()
        )
        nothing: Any = None  # it writes no file
        config: Any = SimpleNamespace(destination_capabilities=capabilities)
        self._normalizer = JsonLItemsNormalizer(
            *(nothing, nothing, nothing, self.schema, "", config)
        )

    def infer(self, rows: Sequence[Any]) -> None:
        """Extend the schema by the columns of rows, as if they were loaded."""
        self._normalizer._normalize_chunk(self.table, list(rows), False, skip_write=True)

    def columns(self, table: str) -> TTableSchemaColumns:
        """Return the columns of a table; none if it does not exist."""
        found = self.schema.tables.get(table)
        return found["columns"] if found else {}

    def flattened(self, row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the rows that dlt makes of a row and of the lists in it, each with its table."""
        made = self.schema.normalize_data_item(row, "", self.table)
        return [(table, values) for (table, _, _), values in made]
