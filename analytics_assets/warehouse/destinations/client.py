"""dlt's clients of warehouses whose tables can be queried."""

from typing import Any, TypeAlias, TypeGuard

from dlt import Pipeline
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.errors import WarehouseError

WarehouseClient: TypeAlias = SqlJobClientBase | DeltaClient

MINUTES = {
    "bigquery": "timestamp_trunc({0}, MINUTE)",
    "sqlite": "strftime('%Y-%m-%d %H:%M:00', {0})",
}


def is_warehouse_client(client: Any) -> TypeGuard[WarehouseClient]:
    """Test if a client of dlt is one of a warehouse whose tables can be queried."""
    return isinstance(client, SqlJobClientBase | DeltaClient)


def as_warehouse_client(client: Any) -> WarehouseClient:
    """Return a client of dlt as one of a warehouse.

    Raises:
        WarehouseError: no query reads its tables.
    """
    if is_warehouse_client(client):
        return client
    kind = str(client.config.destination_type).rpartition(".")[2]
    raise WarehouseError(
        f"The destination {kind} has no SQL, by which loads are counted, checked and cleaned up: "
        "set `destination_type` to another one; docs/warehouses.md lists them."
    )


def place_of(pipeline: Pipeline) -> str:
    """Return a text by which processes tell warehouses of one kind apart; it has no secret."""
    config: Any = pipeline.destination_client().config
    place = getattr(config, "bucket_url", None) or config.fingerprint()
    return f"{config.destination_type} {place} "


def to_the_minute(client: WarehouseClient, time: str) -> str:
    """Return SQL that cuts a time to its minute.

    Days are not cut by SQL: they would be those of the session's time zone.
    """
    dialect = str(client.capabilities.sqlglot_dialect)
    return MINUTES.get(dialect, "date_trunc('minute', {0})").format(time)


def table_names(client: WarehouseClient) -> list[str]:
    """Return the names of the tables in a client's dataset."""
    if isinstance(client, DeltaClient):
        return client.table_names()
    sql = client.sql_client
    if hasattr(sql, "engine"):  # of SQLAlchemy, for databases of any kind
        from sqlalchemy import inspect

        return [*inspect(sql.native_connection).get_table_names(schema=sql.dataset_name)]
    fold = client.capabilities.casefold_identifier
    if client.capabilities.sqlglot_dialect == "bigquery":
        place = f"{sql.fully_qualified_dataset_name()}.INFORMATION_SCHEMA.TABLES"
        found = sql.execute_sql(f"SELECT table_name FROM {place}")
    else:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        found = sql.execute_sql(query, fold(sql.dataset_name))
    names = [str(name) for (name,) in found or ()]
    # Snowflake has them in capital letters
    return [name.lower() for name in names] if fold is str.upper else names
