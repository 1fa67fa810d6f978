"""dlt's destinations for DuckDB and PostgreSQL, with transactions."""

from typing import Any

import dlt

from analytics_assets.warehouse.compat import StaticCapabilities

# dlt 1.31.0 claims that neither DuckDB nor PostgreSQL has transactions, and merges without one: a
# process killed between DELETE and INSERT would leave a table without its rows
TRANSACTIONS: dict[str, Any] = {"supports_transactions": True}


class DuckDb(StaticCapabilities, dlt.destinations.duckdb):
    """dlt's destination for a DuckDB file; opens nothing."""


class Postgres(StaticCapabilities, dlt.destinations.postgres):
    """dlt's destination for the PostgreSQL server of the settings; connects to nothing."""
