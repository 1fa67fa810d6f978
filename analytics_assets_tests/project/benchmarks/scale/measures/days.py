"""Loads by day: the first one of all days, and the next one of the days that are due."""

from collections.abc import Mapping

from analytics_assets_tests.project.benchmarks.scale.api_server import last_days, serving
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.measures.resources import JOB
from analytics_assets_tests.project.benchmarks.scale.project import Project

SIZES = (100, 1_000, 3_000)
ROWS = 10  # of a day
DUE = 4  # the newest day, and the `lookback` of the measured API
JOB_BY_DAY = f"{JOB}_partitions"
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def take(project: Project, size: int) -> Mapping[str, float]:
    """Load the same rows in full and by day, and the newest days again."""
    days = [day.isoformat() for day in last_days(size)]
    with serving() as url:
        rows = {"url": f"{url}/{ROWS}x{size}/"}
        with project.folder(rows) as folder:
            in_full = folder.run_job(JOB)
        with project.folder({**rows, "start": days[0], "days": size}) as folder:
            by_day = folder.run_job(JOB_BY_DAY, dict(zip(RANGE, (days[0], days[-1]), strict=True)))
            history = folder.history_bytes
            due = dict(zip(RANGE, (days[-DUE:][0], days[-1]), strict=True))
            folder.run_job(JOB_BY_DAY, due)
            again = folder.run_job(JOB_BY_DAY, due)
    return {
        "full load of the same rows, CPU s": in_full.cpu_seconds,
        "first load by day, CPU s": by_day.cpu_seconds,
        "first load by day, history kB": history / 1000,
        "first load by day, memory MB": by_day.peak_bytes / 1e6,
        "due days, CPU s": again.cpu_seconds,
    }


MEASURES = [
    Measure(
        name="days",
        title=f"Loads by day, {ROWS} rows each, DuckDB",
        counted="days",
        sizes=SIZES,
        take=take,
        further="each further day",
    )
]
