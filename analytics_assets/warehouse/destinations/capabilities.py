"""The abilities of destinations that loads depend on: transactions, merges, and queries."""

from collections.abc import Iterable
from typing import Any

from dlt.common.destination import Destination, DestinationCapabilitiesContext
from dlt.common.destination.exceptions import DestinationCapabilitiesException
from dlt.common.destination.utils import resolve_merge_strategy
from dlt.common.schema.typing import TTableSchema

from analytics_assets.config.errors import ConfigurationError, listed
from analytics_assets.config.resource import ResourceConfig

# dlt 1.31 says that they have transactions with changes of tables in them, and begins none for a
# merge without such changes
TRANSACTIONAL = ("ducklake", "motherduck", "redshift", "snowflake", "sqlalchemy")
# a merge is several statements, and no transaction is around them
WITHOUT_TRANSACTIONS = ("athena", "bigquery", "clickhouse", "databricks", "dremio")
# no SQL reads their tables, or one without LIMIT: loads could not be counted, checked or cleaned up
WITHOUT_QUERIES = (
    *("destination", "dummy", "lance", "lancedb", "qdrant", "weaviate"),
    *("fabric", "mssql", "synapse"),
)

# they have every merge of dlt, which imports duckdb to tell, where definitions load without it
WITH_ANY_MERGE = ("duckdb", "motherduck")
BY_SETTINGS = ("ducklake", "sqlalchemy")  # their abilities depend on settings of a run


def caution(destination_type: str) -> str | None:
    """Return the warning that a load into a destination may lose rows for a while; None for none.

    Args:
        destination_type: the destination's name.
    """
    if destination_type in WITHOUT_TRANSACTIONS:
        return (
            f"dlt merges into {destination_type} without a transaction: a load that is killed "
            "meanwhile leaves rows out of its table until it is run again. Merges of one "
            'statement (`"strategy": "upsert"` in `write_disposition`, where dlt has it and rows '
            "have no tables of lists) leave none out."
        )
    if destination_type == "snowflake":
        return (
            "Snowflake ends a transaction where a merge makes a temporary table, as those of rows "
            "with tables of lists do: a load that is killed meanwhile leaves rows out of these "
            'tables until it is run again. Lists stay JSON by "max_table_nesting": 0 in the entry.'
        )
    return None


def refuse_unsupported(
    destination_type: str, destination: Destination[Any, Any], resources: Iterable[ResourceConfig]
) -> None:
    """Refuse resources that are merged in a way that a destination does not have.

    Args:
        destination_type: the destination's name.
        destination: the destination.
        resources: the resources.

    Raises:
        ConfigurationError: the destination has no such merge.
    """
    if destination_type in WITH_ANY_MERGE or destination_type in BY_SETTINGS:
        return
    able = destination.capabilities(destination.spec())
    for resource in resources:
        if resource.write_disposition["disposition"] == "merge":
            _refuse_merge(destination_type, able, resource)


def _refuse_merge(
    destination_type: str, able: DestinationCapabilitiesContext, resource: ResourceConfig
) -> None:
    given = resource.write_disposition
    hints: dict[str, Any] = {
        "name": resource.table,
        "columns": {},
        "write_disposition": "merge",
        "table_format": resource.merged_entry.get("table_format"),
        **({"x-merge-strategy": given["strategy"]} if given.get("strategy") else {}),
    }
    table: TTableSchema = hints  # type: ignore[assignment]  # hints have names of dlt's
    strategies = able.supported_merge_strategies or ()
    if able.merge_strategies_selector:
        strategies = able.merge_strategies_selector(strategies, table_schema=table)
    try:
        if resolve_merge_strategy({resource.table: table}, table, able):
            return
    except DestinationCapabilitiesException:
        pass
    remedy = f"It has {listed(strategies)}: set another `strategy` in its `write_disposition`."
    if not strategies:
        formats = listed(able.supported_table_formats or ())
        remedy = f'Set its `table_format` to one of {formats}, or "write_disposition": "replace".'
    raise ConfigurationError(
        f"resource `{resource.name}` is merged by `{given.get('strategy', 'delete-insert')}`, "
        f"which the destination {destination_type} does not have for such a table. {remedy}"
    )
