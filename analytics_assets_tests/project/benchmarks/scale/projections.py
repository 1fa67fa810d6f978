"""Arithmetic on measured slopes: sizes that were not measured, on a straight line."""

from collections.abc import Iterator
from typing import NamedTuple

from analytics_assets_tests.project.benchmarks.scale.record import BEFORE, NOW, Record, Taken, slope


class Projection(NamedTuple):
    """A figure at a size that was not measured.

    Args:
        question: the words for it.
        title: the title of a measure.
        figure: the name of its figure.
        size: the size.
        factor: the number by which the figure is multiplied, such as the resources or the days.
        of_growth: True for the growth alone, without what does not depend on the size.
    """

    question: str
    title: str
    figure: str
    size: int
    factor: float = 1.0
    of_growth: bool = True


DUCKDB, POSTGRES = "Run of small resources, DuckDB", "Run of small resources, PostgreSQL"
DAYS = "Loads by day, 10 rows each, DuckDB"
TABLE = "Load of 10 rows into a large table, {}"
FIVE_YEARS, TEN_YEARS = 1_826, 3_652  # days
PROJECTIONS = (
    Projection(
        "a run of 1,000 resources, DuckDB, minutes of CPU",
        DUCKDB, "second run, CPU s", 1_000, 1 / 60, of_growth=False,
    ),
    Projection(
        "a run of 1,000 resources, PostgreSQL, minutes of CPU",
        POSTGRES, "run, CPU s", 1_000, 1 / 60, of_growth=False,
    ),
    Projection(
        "history of 1,000 resources with a run a day, GB a year without retention",
        DUCKDB, "second run, history kB", 1_000, 365 / 1e6,
    ),
    Projection(
        "1,000 endpoints asked for new data, 100 ms each, s",
        "Ticks of the sensors, 100 ms an answer", "all ticks until each is asked, s", 1_000,
        of_growth=False,
    ),
    Projection(
        "first load of 5 years by day, 1,000 resources, hours of CPU",
        DAYS, "first load by day, CPU s", FIVE_YEARS, 1_000 / 3_600,
    ),
    Projection(
        "history of that load, GB",
        DAYS, "first load by day, history kB", FIVE_YEARS, 1_000 / 1e6,
    ),
    Projection(
        "due days of a resource with 10 years, s of CPU more than of a new one",
        DAYS, "due days, CPU s", TEN_YEARS,
    ),
    *(
        Projection(
            f"10 rows into 100 million, {warehouse}, s of CPU more than into an empty table",
            TABLE.format(warehouse), "10 rows, CPU s", 100_000_000,
        )
        for warehouse in ("DuckDB", "PostgreSQL")
    ),
    Projection(
        "idle `dagster dev` of 1,000 resources, GB of memory",
        "Idle `dagster dev`", "memory MB", 1_000, 1 / 1_000, of_growth=False,
    ),
)  # fmt: skip


class Projected(NamedTuple):
    """The values of a projection; None where too little was measured."""

    question: str
    before: float | None
    now: float | None


def projected(record: Record) -> Iterator[Projected]:
    """Yield the projections of what is kept."""
    for each in PROJECTIONS:
        series = dict(record.series(each.title)).get(each.figure, [])
        yield Projected(each.question, _value(each, series, BEFORE), _value(each, series, NOW))


def _value(projection: Projection, series: list[Taken], side: str) -> float | None:
    growth = slope(series, side, 1)
    if growth is None:
        return None
    if projection.of_growth:
        return growth * projection.size * projection.factor
    first = next(taken for taken in series if getattr(taken, side) is not None)
    at_size = getattr(first, side) + growth * (projection.size - first.size)
    return float(at_size * projection.factor)
