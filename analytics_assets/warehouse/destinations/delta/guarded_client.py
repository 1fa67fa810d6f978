"""A client that holds Delta tables against a load, before the first row of the load."""

from collections.abc import Sequence
from typing import Any

from dlt.common.schema.typing import TLoaderMergeStrategy
from dlt.common.schema.utils import is_nested_table

from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.errors import StoredTypeError, WarehouseError
from analytics_assets.warehouse.evolution.dropped import (
    loaded_tables,
    missing_columns,
    refuse_unidentified,
)
from analytics_assets.warehouse.evolution.guard import differences

DELTA_STRATEGIES: Sequence[TLoaderMergeStrategy] = ("delete-insert", "upsert", "insert-only")


def delta_strategies(*args: Any, **kwargs: Any) -> Sequence[TLoaderMergeStrategy]:
    """Return the merge strategies of a Delta table; for dlt, which asks for those of each table."""
    return DELTA_STRATEGIES


class NestedTableError(WarehouseError):
    """A list of rows would become a table of its own, which no commit writes with its parent."""


class GuardedDeltaClient(DeltaClient):
    """A client that holds Delta tables against a load, before the first row of the load."""

    def update_stored_schema(
        self,
        only_tables: Any = None,
        expected_update: Any = None,
        force: bool = False,
    ) -> Any:
        """Guard the tables, then store the schema."""
        tables = sorted({*(only_tables or self.schema.tables), *loaded_tables(self)})
        for name in tables:
            if not self.is_dlt_table(name) and name in self.schema.tables:
                self._guard(name)
        return super().update_stored_schema(only_tables, expected_update, force)

    def _guard(self, name: str) -> None:
        """Refuse a load that a table cannot take without an altered, lost or doubled row.

        Raises:
            WarehouseError: the load cannot be written.
        """
        table = self.schema.get_table(name)
        if is_nested_table(table):
            field = name.removeprefix(f"{table['parent']}__")
            raise NestedTableError(
                f"{table['parent']}: dlt makes the table `{name}` of the lists in its column "
                f"`{field}`, and Delta has no transaction over two tables: a load that is killed "
                "would leave one without the other. Keep the lists as JSON, by "
                f'"columns": {{"{field}": {{"data_type": "json"}}}} or "max_table_nesting": 0 in '
                "the entry."
            )
        [(_, stored)] = self.get_storage_tables([name])
        for column in missing_columns(self, name, stored) if stored else ():
            refuse_unidentified(self, name, column)
        for found in differences(self, name, stored):
            raise StoredTypeError(name, found.name, found.stored, found.new)
