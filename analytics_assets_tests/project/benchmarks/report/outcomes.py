"""Outcomes: figures beside their limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analytics_assets_tests.project.benchmarks.measurement.merging import Merge
from analytics_assets_tests.project.benchmarks.measurement.run import Result
from analytics_assets_tests.project.benchmarks.measurement.start_up import COUNTS, StartUp
from analytics_assets_tests.project.benchmarks.report.targets import Limit

LONGEST_START_UP = Limit("beyond the imports", " s", 3.0, at_least=False)
SMALLER, LARGER = 1_000_000, 10_000_000  # rows of first loads
TIMES_COPY = Limit("time of a first load, to COPY and INSERT", " times", 2.0, at_least=False)
GROWTH = Limit(f"time of a first load, to that of {SMALLER:,} rows", " times", 11.0, at_least=False)


@dataclass(frozen=True)
class Outcome:
    """A figure beside its limit.

    Args:
        case: the case in words.
        limit: the limit.
        found: the figure.
    """

    case: str
    limit: Limit
    found: float


def outcomes(
    results: Sequence[Result], merges: Sequence[Merge], started: Sequence[StartUp]
) -> Iterator[Outcome]:
    """Compare all figures with their limits, as far as they were measured."""
    for result in results:
        for target in result.case.targets:
            if set(target.needs) <= set(result.figures):
                yield Outcome(result.case.title, target.limit, target.figure(result.figures))
    yield from _of_first_loads(merges)
    for start_up in started:
        if start_up.resources == max(COUNTS):
            case = f"definitions of {start_up.resources} resources"
            yield Outcome(case, LONGEST_START_UP, start_up.seconds)


def _of_first_loads(merges: Sequence[Merge]) -> Iterator[Outcome]:
    """Compare first loads with COPY and INSERT, where that was measured, and with each other."""
    seconds = {merge.rows: merge.first_seconds for merge in merges if merge.copy_seconds}
    for merge in merges:
        case = f"{merge.rows:,} rows, first load, {merge.warehouse}"
        if merge.copy_seconds and merge.rows >= SMALLER:
            yield Outcome(case, TIMES_COPY, merge.first_seconds / merge.copy_seconds)
        if merge.copy_seconds and merge.rows == LARGER and SMALLER in seconds:
            yield Outcome(case, GROWTH, merge.first_seconds / seconds[SMALLER])
