"""What the loaders are measured by."""

from dataclasses import dataclass

from analytics_assets_tests.benchmarks.bars import (
    Bar,
    cost_of_dagster,
    peak_memory,
    speed_against,
)
from analytics_assets_tests.benchmarks.loaders import DAGSTER, FLOOR, OWN, STOCK, Loader


@dataclass(frozen=True)
class Case:
    """A load.

    Args:
        name: what the command line calls it.
        rows: how many rows each resource has.
        resources: how many resources are loaded.
        waits: whether the API takes 50 ms for each answer.
        second_run: whether the same rows are in the tables already.
        loaders: who does it.
        rounds: how often each of them does it, unless the command line says otherwise.
        bars: what this project is to reach.
        on_demand: whether it is left out unless it is named.
    """

    name: str
    rows: int
    resources: int = 1
    waits: bool = False
    second_run: bool = False
    loaders: tuple[Loader, ...] = (FLOOR, STOCK, OWN)
    rounds: int = 3
    bars: tuple[Bar, ...] = ()
    on_demand: bool = False

    @property
    def title(self) -> str:
        """What is loaded, for people."""
        rows = f"{self.rows:,} rows"
        parts = [f"{self.resources} resources of {rows}" if self.resources > 1 else rows]
        parts += ["50 ms an answer"] if self.waits else []
        parts += ["second run"] if self.second_run else []
        return ", ".join(parts)

    def base_url(self, server: str) -> str:
        """Return where the API of this case is on the server."""
        return f"{server}{'/lat' if self.waits else ''}/{self.rows}"


CASES = (
    Case("100k", 100_000, bars=(speed_against(STOCK, 3),)),
    Case(
        "1m",
        1_000_000,
        rounds=1,  # stock dlt takes minutes
        bars=(speed_against(STOCK, 6), speed_against(FLOOR, 0.3), peak_memory(400)),
    ),
    Case("50ms", 100_000, waits=True, bars=(speed_against(STOCK, 7),)),
    Case("three", 20_000, resources=3, waits=True),
    Case("second", 100_000, second_run=True),
    Case("dagster", 20_000, resources=4, loaders=(OWN, DAGSTER), bars=(cost_of_dagster(8),)),
    Case("5m", 5_000_000, loaders=(FLOOR, OWN), rounds=1, on_demand=True),
)
