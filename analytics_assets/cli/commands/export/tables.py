"""Tables as other tools are to know them: columns, keys and freshness."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from dlt.common.destination import PreparedTableSchema
from dlt.common.schema.typing import DLT_NAME_PREFIX, TColumnSchema, TTableSchemaColumns

from analytics_assets.config.load import Partitioned
from analytics_assets.contract.column import Column
from analytics_assets.contract.resource import Resource
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse

ANY_TABLE = PreparedTableSchema(name="any")  # the types of its columns do not depend on it


@dataclass(frozen=True)
class ExportedColumn:
    """A column of a table.

    Args:
        name: its name.
        data_type: dlt's type.
        physical_type: the type in the warehouse, as SQL writes it.
        description: its description; None if nothing describes it.
        required: True if it is never null.
        choices: the values of an enumeration, to which the API may add.
    """

    name: str
    data_type: str
    physical_type: str
    description: str | None
    required: bool
    choices: tuple[str, ...]


@dataclass(frozen=True)
class ExportedTable:
    """The table of a resource.

    Args:
        resource: the resource.
        warehouse: the warehouse of the table.
        columns: its columns without dlt's own; empty if nothing is known of them yet.
        children: the columns of the tables that dlt has made of lists in its rows, by their names.
    """

    resource: Resource
    warehouse: Warehouse
    columns: tuple[ExportedColumn, ...]
    children: Mapping[str, Sequence[ExportedColumn]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.resource.table

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows apart; empty if no key is unique in the table."""
        return self.resource.contract.key_columns if self.resource.has_unique_keys else ()

    @property
    def description(self) -> str:
        """The description of its rows, and their origin."""
        resource = self.resource
        origin = f"`{resource.shown_path}` of the {resource.api_name} API."
        return f"{resource.policy.description or ''} {origin}".strip()

    @property
    def tags(self) -> list[str]:
        """The tags of its asset, each with its value if it has one."""
        tags = sorted(self.resource.policy.tags.items())
        return [f"{name}:{value}" if value else name for name, value in tags]

    @property
    def longest_age(self) -> timedelta:
        """The age that its last load has at most, while the table is fresh.

        A partition may be loaded when it ends, and the next one be due that much later.
        """
        policy = self.resource.policy
        if isinstance(policy.load, Partitioned):
            return policy.freshness + policy.load.longest_partition
        return policy.freshness

    @property
    def oldest_day(self) -> timedelta:
        """The time since the start of the newest day, at most, while the table is fresh.

        Rows of a week or a month may have its first day, and the next one is due once it has ended.
        """
        policy = self.resource.policy
        if isinstance(policy.load, Partitioned) and policy.load.by != "day":
            return policy.freshness + 2 * policy.load.longest_partition
        return policy.freshness + timedelta(days=1)


def describe_tables(
    resources: Sequence[Resource], warehouses: Mapping[str, Warehouse], contract_only: bool = False
) -> list[ExportedTable]:
    """Describe tables as the warehouse has them, and those to come by their contracts.

    Args:
        resources: the resources.
        warehouses: the warehouse of each API, by its name.
        contract_only: True to leave the warehouse alone.

    Raises:
        WarehouseError: a warehouse cannot be opened.
    """
    described = []
    with ExitStack() as stack:
        opened: dict[str, Tables] = {}
        for resource in resources:
            name, warehouse = resource.api_name, warehouses[resource.api_name]
            if name not in opened and not contract_only and _exists(warehouse):
                opened[name] = stack.enter_context(warehouse.open())
            described.append(_describe(resource, warehouse, opened.get(name)))
    return described


def _describe(resource: Resource, warehouse: Warehouse, tables: Tables | None) -> ExportedTable:
    stored = tables.columns(resource.table) if tables else {}
    columns = tuple(_columns(resource, warehouse, stored))
    if not tables or not stored:
        return ExportedTable(resource, warehouse, columns)
    children = {
        name: [_column(warehouse, column) for column in tables.columns(name).values()]
        for name in tables.children(resource.table)
    }
    return ExportedTable(resource, warehouse, columns, children)


def _exists(warehouse: Warehouse) -> bool:
    """Return False for a DuckDB file that the first load will make."""
    return warehouse.duckdb_file is None or warehouse.duckdb_file.exists()


def _columns(
    resource: Resource, warehouse: Warehouse, stored: TTableSchemaColumns
) -> Iterator[ExportedColumn]:
    """Yield the columns of the table, or of the contract if there is none.

    Those of the contract are first and in its order: a load changes nothing but what it adds.
    """
    contract = {column.name: column for column in resource.contract.columns}
    declared = resource.contract.hints()
    hints = {name: stored[name] for name in declared if name in stored} | stored
    for name, hint in (hints or {name: declared[name] for name in contract}).items():
        if not name.startswith(DLT_NAME_PREFIX):
            is_key = name in resource.contract.key_columns
            yield _column(warehouse, hint, contract.get(name), is_key)


def _column(
    warehouse: Warehouse, hint: TColumnSchema, described: Column | None = None, is_key: bool = False
) -> ExportedColumn:
    by_contract = described is not None and not described.may_be_null
    able, data_type = warehouse.destination.capabilities(), str(hint["data_type"])
    mapper = able.get_type_mapper() if able.type_mapper else None  # files have dlt's types
    return ExportedColumn(
        name=str(hint["name"]),
        data_type=data_type,
        physical_type=mapper.to_destination_type(hint, ANY_TABLE) if mapper else data_type,
        description=described.comment if described else None,
        required=by_contract or is_key or hint.get("nullable") is False,
        choices=described.choices if described else (),
    )
