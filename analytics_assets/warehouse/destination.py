"""dlt's destinations for DuckDB and PostgreSQL, with transactions."""

from typing import Any

import dlt

from analytics_assets.warehouse.compat import DuckDbFile, StaticCapabilities

# dlt 1.31.0 claims that neither DuckDB nor PostgreSQL has transactions, and merges without one: a
# process killed between DELETE and INSERT would leave a table without its rows
TRANSACTIONS: dict[str, Any] = {"supports_transactions": True}


def duckdb_destination(credentials: DuckDbFile) -> dlt.destinations.duckdb:
    """Return dlt's destination for a DuckDB file; opens nothing.

    Args:
        credentials: those of the file.
    """
    return _DuckDb(credentials, **TRANSACTIONS)


def postgres_destination() -> dlt.destinations.postgres:
    """Return dlt's destination for the PostgreSQL server of the settings; connects to nothing."""
    return _Postgres(**TRANSACTIONS)


class _DuckDb(StaticCapabilities, dlt.destinations.duckdb):
    pass


class _Postgres(StaticCapabilities, dlt.destinations.postgres):
    pass
