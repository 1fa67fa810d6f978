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
        file: the name of its file beside this one; `name` if not given.
        of_baseline: True for a loader of the checkout that `--baseline` names.
    """

    name: str
    title: str
    about: str
    file: str = ""
    of_baseline: bool = False

    @property
    def module(self) -> str:
        """The module to run."""
        return f"{PACKAGE}.{self.file or self.name}"


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
    "`rest_api_source` with contracts, unless the case is without, and the proof that all rows "
    "arrived, into the warehouse, without Dagster",
)
DAGSTER = Loader(
    "through_dagster",
    "through Dagster",
    "as `analytics-assets materialize`: assets and their checks, run history in SQLite",
)
STOCK_DAGSTER = Loader(
    "stock_dagster",
    "stock dagster-dlt",
    "stock dlt as one asset function of dagster-dlt, without checks",
)
OWN_BEFORE = Loader(
    "this_project_before",
    "this project before",
    "this project in the checkout that `--baseline` names",
    file=OWN.name,
    of_baseline=True,
)
DAGSTER_BEFORE = Loader(
    "through_dagster_before",
    "through Dagster before",
    "the same through Dagster",
    file=DAGSTER.name,
    of_baseline=True,
)
LOADERS = (FLOOR, STOCK, OWN, STOCK_DAGSTER, DAGSTER)
BASELINE = {OWN: OWN_BEFORE, DAGSTER: DAGSTER_BEFORE}
"""The loaders of the baseline, by those that are compared with them."""
