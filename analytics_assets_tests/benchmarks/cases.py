"""The cases in which loaders are measured."""

from dataclasses import dataclass

from analytics_assets_tests.benchmarks.loaders.loader import DAGSTER, FLOOR, OWN, STOCK, Loader
from analytics_assets_tests.benchmarks.report.targets import (
    Target,
    cost_of_dagster,
    peak_memory,
    speed_against,
)


@dataclass(frozen=True)
class Case:
    """A load.

    Args:
        name: its name on the command line.
        rows: rows of each resource.
        resources: number of resources.
        waits: True if the API takes 50 ms for each response.
        second_run: True if the tables have the same rows already.
        loaders: the loaders to measure.
        rounds: runs of each loader, unless the command line gives another number.
        targets: targets of this project.
        on_demand: True if it is measured only if named.
    """

    name: str
    rows: int
    resources: int = 1
    waits: bool = False
    second_run: bool = False
    loaders: tuple[Loader, ...] = (FLOOR, STOCK, OWN)
    rounds: int = 3
    targets: tuple[Target, ...] = ()
    on_demand: bool = False

    @property
    def title(self) -> str:
        """The title in tables and charts."""
        rows = f"{self.rows:,} rows"
        parts = [f"{self.resources} resources of {rows}" if self.resources > 1 else rows]
        parts += ["50 ms an answer"] if self.waits else []
        parts += ["second run"] if self.second_run else []
        return ", ".join(parts)

    def base_url(self, server: str) -> str:
        """Return the base URL of this case's API on the server."""
        return f"{server}{'/lat' if self.waits else ''}/{self.rows}"


CASES = (
    Case("100k", 100_000, targets=(speed_against(STOCK, 3),)),
    Case(
        "1m",
        1_000_000,
        rounds=1,  # stock dlt takes minutes
        targets=(speed_against(STOCK, 6), speed_against(FLOOR, 0.3), peak_memory(400)),
    ),
    Case("50ms", 100_000, waits=True, targets=(speed_against(STOCK, 7),)),
    Case("three", 20_000, resources=3, waits=True),
    Case("second", 100_000, second_run=True),
    Case("dagster", 20_000, resources=4, loaders=(OWN, DAGSTER), targets=(cost_of_dagster(8),)),
    Case("5m", 5_000_000, loaders=(FLOOR, OWN), rounds=1, on_demand=True),
)
