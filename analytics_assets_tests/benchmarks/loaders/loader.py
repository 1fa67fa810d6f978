"""The loaders that are measured."""

from dataclasses import dataclass

PACKAGE = __name__.rpartition(".")[0]


@dataclass(frozen=True)
class Loader:
    """A program that loads resources into a DuckDB file.

    Args:
        name: its name on the command line.
        title: its name in tables and charts.
        about: its description in the README.
    """

    name: str
    title: str
    about: str

    @property
    def module(self) -> str:
        """The module to run."""
        return f"{PACKAGE}.{self.name}"


FLOOR = Loader(
    "floor",
    "floor",
    "the least work that brings the rows into the table: asyncio with 16 connections, bodies into "
    "a file, DuckDB's `read_json` with the types given, one transaction; no checks, no retries, "
    "no state",
)
STOCK = Loader(
    "stock_dlt",
    "stock dlt",
    "dlt's REST source as documented, parquet files, `parallelized=True` if there are several "
    "resources",
)
OWN = Loader(
    "this_project",
    "this project",
    "`rest_api_source` with contracts and the proof that all rows arrived, into the warehouse, "
    "without Dagster",
)
DAGSTER = Loader(
    "through_dagster",
    "through Dagster",
    "as `analytics-assets materialize`: assets and their checks, run history in SQLite",
)
LOADERS = (FLOOR, STOCK, OWN, DAGSTER)
