"""How long definitions take to load, which each process of Dagster does before anything else."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from analytics_assets_tests.benchmarks.errors import BenchmarkError
from analytics_assets_tests.benchmarks.loaders import PACKAGE
from analytics_assets_tests.benchmarks.run import END_OF_ERRORS, PATIENCE, run_to_its_end

COUNTS = (4, 50, 500)  # resources
ROUNDS = 3
LIMIT = 3.0  # seconds for the largest of them


@dataclass(frozen=True)
class StartUp:
    """What it took to load the definitions: medians over processes.

    Args:
        resources: how many there are.
        imports: seconds for the imports of Dagster and dlt.
        seconds: for all else.
    """

    resources: int
    imports: float
    seconds: float


def start_ups(counts: Sequence[int] = COUNTS, rounds: int = ROUNDS) -> Iterator[StartUp]:
    """Load the definitions of so many resources, each time in a new process.

    Raises:
        BenchmarkError: they could not be loaded.
    """
    for count in counts:
        told = [_load(count) for _ in range(rounds)]
        imports, seconds = (median(each[what] for each in told) for what in ("imports", "seconds"))
        yield StartUp(count, imports, seconds)


def _load(count: int) -> dict[str, float]:
    command = [sys.executable, "-m", f"{PACKAGE}.load_definitions", str(count)]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
        printed, errors = run_to_its_end(command, Path(place), PATIENCE)
    if not printed:
        raise BenchmarkError(
            f"The definitions of {count} resources could not be loaded: {errors[-END_OF_ERRORS:]}"
        )
    told: dict[str, float] = json.loads(printed)
    return told
