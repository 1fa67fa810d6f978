"""The place of a dataset, in the words of a data contract, without a secret."""

from typing import Any

from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs import ConnectionStringCredentials

from analytics_assets.warehouse.duckdb_file import duckdb_credentials
from analytics_assets.warehouse.warehouse import Warehouse

POSTGRES_PORT = 5432


def server_of(warehouse: Warehouse) -> dict[str, Any]:
    """Return the server of a data contract: its place, no user and no password.

    Args:
        warehouse: the warehouse; that of a DuckDB file is written as the setting names it.
    """
    place: dict[str, Any] = {"schema": warehouse.dataset}
    kind = "custom"
    if warehouse.is_duckdb:
        kind, place = "duckdb", {"database": str(duckdb_credentials().database), **place}
    elif warehouse.destination_type == "postgres":
        kind, place = "postgres", {**_postgres(), **place}
    return {"server": warehouse.destination_type, "type": kind, **place}


def _postgres() -> dict[str, Any]:
    """Return host, port and database; names to fill in where no credentials are set."""
    try:
        credentials = resolve_configuration(
            ConnectionStringCredentials(), sections=("destination", "postgres")
        )
    except ConfigurationException:
        return {"host": "localhost", "port": POSTGRES_PORT, "database": "postgres"}
    query = credentials.query or {}  # goes first in libpq; its host may be the folder of a socket
    return {
        "host": query.get("host") or credentials.host or "localhost",
        "port": int(query.get("port") or credentials.port or POSTGRES_PORT),
        "database": credentials.database,
    }
