"""The cases in which loaders are measured."""

from dataclasses import dataclass

from analytics_assets_tests.project.benchmarks.loaders.endpoint import (
    CURSOR,
    OFFSET,
    PAGE_NUMBER,
    POST,
)
from analytics_assets_tests.project.benchmarks.loaders.loader import (
    DAGSTER,
    FLOOR,
    OWN,
    STOCK,
    STOCK_DAGSTER,
    Loader,
)
from analytics_assets_tests.project.benchmarks.loaders.task import FULL, NONE, OLDER
from analytics_assets_tests.project.benchmarks.report.targets import (
    Target,
    cpu_against,
    dagster_cpu_against_baseline,
    dagster_cpu_against_stock,
    peak_memory,
    time_against,
)
from analytics_assets_tests.project.benchmarks.server.pages import Dataset

PAGING = {OFFSET: "", PAGE_NUMBER: "page numbers", CURSOR: "cursor", POST: "POST with offsets"}
CONTRACTS = {FULL: "", OLDER: "a field unknown to the contract", NONE: "no contract"}


@dataclass(frozen=True)
class Case:
    """A load.

    Args:
        name: its name on the command line.
        rows: rows of each resource.
        resources: number of resources.
        waits: True if the API takes 50 ms for each response; time then counts, and CPU elsewhere.
        nested: True if rows have an object and a list besides flat fields.
        paging: the way to the next page.
        contract: the contract of this project's resources.
        second_run: True if the tables have the same rows already.
        loaders: the loaders to measure.
        rounds: runs of each loader, unless the command line gives another number.
        once: the loaders that run in the first round alone, as they take minutes.
        targets: targets of this project.
        on_demand: True if it is measured only if named.
    """

    name: str
    rows: int = 100_000
    resources: int = 1
    waits: bool = False
    nested: bool = False
    paging: str = OFFSET
    contract: str = FULL
    second_run: bool = False
    loaders: tuple[Loader, ...] = (STOCK, OWN)
    rounds: int = 3
    once: tuple[Loader, ...] = ()
    targets: tuple[Target, ...] = ()
    on_demand: bool = False

    @property
    def title(self) -> str:
        """The title in tables and charts."""
        rows = f"{self.rows:,} {'nested ' if self.nested else ''}rows"
        parts = [
            f"{self.resources} resources of {rows}" if self.resources > 1 else rows,
            PAGING[self.paging],
            CONTRACTS[self.contract],
            "50 ms an answer" if self.waits else "",
            "second run" if self.second_run else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def dataset(self) -> Dataset:
        """The rows of each resource."""
        return Dataset(self.rows, self.nested)

    def base_url(self, server: str) -> str:
        """Return the base URL of this case's API on the server."""
        return f"{server}{'/lat' if self.waits else ''}/{self.dataset.name}"


WITH_FLOOR = (FLOOR, STOCK, OWN)
COMMON = (cpu_against(STOCK, 2.5),)
WAITING = (time_against(STOCK, 9),)

CASES = (
    Case("100k", loaders=WITH_FLOOR, targets=(cpu_against(STOCK, 3),)),
    Case("no_contract", contract=NONE, targets=COMMON),
    Case("unknown_field", contract=OLDER, targets=COMMON),
    Case("page_number", paging=PAGE_NUMBER, targets=COMMON),
    Case("cursor", paging=CURSOR, targets=COMMON),
    Case("post", paging=POST, targets=COMMON),
    Case("nested", nested=True, contract=NONE, targets=(cpu_against(STOCK, 1.5),)),
    Case("second", second_run=True, loaders=WITH_FLOOR),
    Case(
        "1m",
        1_000_000,
        loaders=WITH_FLOOR,
        once=(STOCK,),
        targets=(cpu_against(STOCK, 9), cpu_against(FLOOR, 0.45), peak_memory(400)),
    ),
    Case("50ms", waits=True, loaders=WITH_FLOOR, once=(STOCK,), targets=WAITING),
    Case("50ms_page_number", waits=True, paging=PAGE_NUMBER, once=(STOCK,), targets=WAITING),
    Case("50ms_no_contract", waits=True, contract=NONE, once=(STOCK,), targets=WAITING),
    Case(
        "three",
        20_000,
        resources=3,
        waits=True,
        loaders=WITH_FLOOR,
        targets=(time_against(STOCK, 4),),
    ),
    Case(
        "dagster",
        20_000,
        resources=4,
        loaders=(STOCK, OWN, STOCK_DAGSTER, DAGSTER),
        targets=(dagster_cpu_against_stock(1.4), dagster_cpu_against_baseline(0.6)),
    ),
    Case(
        "5m",
        5_000_000,
        loaders=(FLOOR, OWN),
        rounds=1,
        targets=(peak_memory(400),),
        on_demand=True,
    ),
)
