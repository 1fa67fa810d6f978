"""dlt's destinations for DuckDB and PostgreSQL, as loads here need them.

What either can do depends on no setting. dlt 1.31 looks all of them up to say so, twenty times a
load, which takes an eighth of a small one.
"""

from typing import Any

import dlt
from dlt.common.destination import Destination, DestinationCapabilitiesContext
from dlt.common.normalizers.naming import NamingConvention

from analytics_assets.warehouse.duckdb_file import DuckDbFile

# dlt 1.31 says of neither DuckDB nor PostgreSQL that it has transactions, and merges without one:
# a process killed between DELETE and INSERT would leave a table without its rows
TRANSACTIONS: dict[str, Any] = {"supports_transactions": True}


def duckdb_destination(credentials: DuckDbFile) -> dlt.destinations.duckdb:
    """Return dlt's destination for a DuckDB file; opens nothing.

    Args:
        credentials: where the file is.
    """
    return _DuckDb(credentials, **TRANSACTIONS)


def postgres_destination() -> dlt.destinations.postgres:
    """Return dlt's destination for the PostgreSQL server of the settings; connects to nothing."""
    return _Postgres(**TRANSACTIONS)


# none has an __init__: of its arguments dlt takes those that are not the default for settings
class _OfNoSettings(Destination[Any, Any]):
    """What both have in common; the last of a class's bases is dlt's own destination."""

    @property
    def destination_type(self) -> str:
        """What dlt calls it in settings and in the state that it keeps."""
        return f"dlt.destinations.{type(self).__bases__[-1].__name__}"

    def capabilities(
        self, config: Any = None, naming: NamingConvention | None = None
    ) -> DestinationCapabilitiesContext:
        return super().capabilities(config or self.spec(), naming)


class _DuckDb(_OfNoSettings, dlt.destinations.duckdb):
    pass


class _Postgres(_OfNoSettings, dlt.destinations.postgres):
    pass
