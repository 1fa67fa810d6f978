"""The task of a loader, as its command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from analytics_assets_tests.project.benchmarks.loaders.endpoint import OFFSET, PAGINATORS

DATASET = "analytics"
RESOURCES = ("website_overview", "daily_active_users", "traffic_sources", "page_views")
FULL, OLDER, NONE = CONTRACTS = ("full", "older", "none")
CLIENT_ID = "benchmark"
CLIENT_SECRET = "nobody checks it"


@dataclass(frozen=True)
class Task:
    """A load.

    Args:
        base_url: the base URL of the API; its resources are below `/v1/`.
        duckdb_file: the file to load into, which may hold the same rows already.
        resources: number of resources to load.
        workdir: a folder for working files.
        stages: whether to print the duration of each stage.
        paging: the way to the next page, of `PAGINATORS`.
        contract: the contract of this project's resources: of all fields (`FULL`), of all but one
            (`OLDER`) or of none (`NONE`). Other loaders have no contracts.
    """

    base_url: str
    duckdb_file: Path
    resources: int
    workdir: Path
    stages: bool
    paging: str = OFFSET
    contract: str = FULL

    @property
    def names(self) -> tuple[str, ...]:
        """The resources to load, each into the table of its name in the dataset `analytics`."""
        return RESOURCES[: self.resources]

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return urljoin(self.base_url, "/oauth/token")

    def arguments(self) -> list[str]:
        """Return the command line that `read_task` reads."""
        stages = ["--stages"] if self.stages else []
        # an older checkout does not know all options, and needs those of its own cases alone
        paging = ["--paging", self.paging] if self.paging != OFFSET else []
        contract = ["--contract", self.contract] if self.contract != FULL else []
        place = [self.base_url, str(self.duckdb_file), str(self.workdir)]
        return [*place, "--resources", str(self.resources), *stages, *paging, *contract]


def read_task(arguments: list[str] | None = None) -> Task:
    """Read a loader's command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url", help="such as http://127.0.0.1:8000/flat-10000")
    parser.add_argument("duckdb_file", type=Path)
    parser.add_argument("workdir", type=Path)
    parser.add_argument("--resources", type=int, choices=range(1, len(RESOURCES) + 1), default=1)
    parser.add_argument("--stages", action="store_true", help="print seconds per stage as JSON")
    parser.add_argument("--paging", choices=PAGINATORS, default=OFFSET)
    parser.add_argument("--contract", choices=CONTRACTS, default=FULL)
    return Task(**vars(parser.parse_args(arguments)))
