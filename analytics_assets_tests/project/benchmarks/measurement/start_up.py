"""Loading time of definitions, which each process of Dagster needs before anything else."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.measurement.run import (
    END_OF_ERRORS,
    PATIENCE,
    run_to_its_end,
)

LOAD_DEFINITIONS = f"{__package__}.load_definitions"
COUNTS = (4, 50, 500)  # resources
ROUNDS = 3


@dataclass(frozen=True)
class StartUp:
    """Loading time of definitions: medians over processes.

    Args:
        resources: number of resources.
        imports: seconds for the imports of Dagster and dlt.
        seconds: seconds for everything else.
    """

    resources: int
    imports: float
    seconds: float


def start_ups(counts: Sequence[int] = COUNTS, rounds: int = ROUNDS) -> Iterator[StartUp]:
    """Load the definitions of each number of resources, each time in a new process.

    Raises:
        BenchmarkError: they could not be loaded.
    """
    for count in counts:
        times = [_load(count) for _ in range(rounds)]
        imports, seconds = (median(each[part] for each in times) for part in ("imports", "seconds"))
        yield StartUp(count, imports, seconds)


def _load(count: int) -> dict[str, float]:
    command = [sys.executable, "-m", LOAD_DEFINITIONS, str(count)]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
        printed, errors = run_to_its_end(command, Path(place), PATIENCE)
    if not printed:
        raise BenchmarkError(
            f"The definitions of {count} resources could not be loaded: {errors[-END_OF_ERRORS:]}"
        )
    times: dict[str, float] = json.loads(printed)
    return times
