"""dlt's destinations for DuckDB and PostgreSQL, with the capabilities that they have."""

import os
from functools import cache
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.common.destination import Destination
from dlt.common.destination.configuration import ParquetFormatConfiguration
from dlt.common.destination.exceptions import DestinationException
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration

from analytics_assets.config.errors import did_you_mean, listed
from analytics_assets.config.settings.compat import PostgresUrl
from analytics_assets.warehouse.compat import GuardedClient, StaticCapabilities
from analytics_assets.warehouse.destinations.capabilities import TRANSACTIONAL, WITHOUT_QUERIES
from analytics_assets.warehouse.destinations.delta.guarded_client import (
    DELTA_STRATEGIES,
    GuardedDeltaClient,
    delta_strategies,
)
from analytics_assets.warehouse.duckdb_file import duckdb_credentials, path_of
from analytics_assets.warehouse.errors import WarehouseError

CAPABILITIES: dict[str, Any] = {
    # dlt 1.31.0 claims that neither DuckDB nor PostgreSQL has transactions, and merges without one:
    # a process killed between DELETE and INSERT would leave a table without its rows
    "supports_transactions": True,
    # a file that no network carries is written in three quarters of the time without compression
    "parquet_format": ParquetFormatConfiguration(compression="none"),
}


class DuckDb(StaticCapabilities, dlt.destinations.duckdb):
    """dlt's destination for a DuckDB file; opens nothing."""

    @property
    def client_class(self) -> type[Any]:
        """The client, which holds stored tables against a load."""
        return guarded(super().client_class)


@configspec
class PostgresConfiguration(PostgresClientConfiguration):
    """dlt's settings of the destination, with credentials that need no password."""

    credentials: PostgresUrl = None  # type: ignore[assignment]  # dlt's way to require them

    def data_location(self) -> str:
        """Return `host:port/database`; the host may be the folder of a socket."""
        own = self.credentials
        host = own.host or own.get_query().get("host") or os.environ.get("PGHOST", "localhost")
        return f"{host}:{own.port}/{own.database}"


class Postgres(StaticCapabilities, dlt.destinations.postgres):
    """dlt's destination for the PostgreSQL server of the settings; connects to nothing."""

    spec: Any = PostgresConfiguration

    @property
    def client_class(self) -> type[Any]:
        """The client, which holds stored tables against a load."""
        return guarded(super().client_class)


class Delta(StaticCapabilities, dlt.destinations.filesystem):
    """dlt's destination for a folder or a bucket, whose tables are Delta tables; opens nothing."""

    @property
    def client_class(self) -> type[Any]:
        """The client, which holds stored tables against a load."""
        return GuardedDeltaClient

    def capabilities(self, config: Any = None, naming: Any = None) -> Any:
        """Return the capabilities, with the merge of `delete-insert` that other warehouses have."""
        found = super().capabilities(config, naming)
        found.supported_merge_strategies = list(DELTA_STRATEGIES)
        found.merge_strategies_selector = delta_strategies
        found.preferred_loader_file_format = "parquet"
        found.supported_loader_file_formats = ["parquet", "reference"]
        return found


def destination_of(kind: str, dataset: str) -> Destination[Any, Any]:
    """Return dlt's destination of a kind; connects to nothing.

    Args:
        kind: the destination's name.
        dataset: the dataset of the tables.

    Raises:
        WarehouseError: dlt has no such destination, or the DuckDB file and the dataset have the
            same name.
    """
    if kind == "duckdb":
        credentials = duckdb_credentials()
        if path_of(credentials).stem == dataset:
            raise WarehouseError(
                f"The DuckDB file {path_of(credentials)} and the dataset {dataset} have the same "
                "name, which DuckDB cannot tell apart: rename the file "
                "(`destination.duckdb.credentials`) or set another `dataset_name`."
            )
        return DuckDb(credentials, **CAPABILITIES)
    if kind == "postgres":
        return Postgres(**CAPABILITIES)
    return Delta(**CAPABILITIES) if kind == "filesystem" else _other_destination(kind)


def _other_destination(kind: str) -> Destination[Any, Any]:
    """Return dlt's destination of another kind; connects to nothing.

    Raises:
        WarehouseError: dlt has no such destination.
    """
    if kind in WITHOUT_QUERIES:
        raise WarehouseError(
            f"The setting `destination_type` is {kind!r}, which has no SQL, or another one than "
            "that of the queries by which loads are counted, checked and cleaned up. "
            "docs/warehouses.md lists the destinations that can be used."
        )
    able: dict[str, Any] = {"supports_transactions": True} if kind in TRANSACTIONAL else {}
    try:
        destination = Destination.from_reference(kind, **able)
    except DestinationException:
        known = [each for each in dlt.destinations.__all__ if each not in WITHOUT_QUERIES]
        raise WarehouseError(
            f"The setting `destination_type` is {kind!r}, which is no destination of dlt"
            f"{did_you_mean(kind, known)} Destinations are {listed(known)}."
        ) from None
    assert destination is not None, "only an empty reference has no destination"
    return destination


@cache
def guarded(client: type[Any]) -> type[Any]:
    """Make a class of clients, as dlt imports a destination's driver where it is used only."""
    return type(f"Guarded{client.__name__}", (GuardedClient, client), {})
