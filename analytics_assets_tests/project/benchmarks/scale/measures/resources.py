"""A run of all resources of an API: what each further one costs."""

from collections.abc import Mapping
from functools import partial

from analytics_assets_tests.project.benchmarks.measurement.merging import DUCKDB, POSTGRES
from analytics_assets_tests.project.benchmarks.scale.api_server import serving
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.place import placed
from analytics_assets_tests.project.benchmarks.scale.project import Project

JOB = "scale_daily"
# before several tables were loaded in one process, a resource in PostgreSQL took 6 CPU seconds
SIZES = {DUCKDB: (10, 50, 200), POSTGRES: (10, 30, 200)}


def _take(warehouse: str, project: Project, size: int) -> Mapping[str, float]:
    """Run all resources into no table and no history; on DuckDB, once more."""
    with (
        serving() as url,
        placed(project, warehouse, {"url": f"{url}/10x1/", "resources": size}) as place,
    ):
        first = place.run_job(JOB)
        before = place.folder.history_bytes
        if warehouse == POSTGRES:  # its slope is the same in a second run, which takes minutes
            return {"run, CPU s": first.cpu_seconds, "run, s": first.seconds}
        second = place.run_job(JOB)
        history = place.folder.history_bytes - before
    return {
        "first run, CPU s": first.cpu_seconds,
        "second run, CPU s": second.cpu_seconds,
        "second run, s": second.seconds,
        "second run, history kB": history / 1000,
    }


MEASURES = [
    Measure(
        name="resources",
        title=f"Run of small resources, {title}",
        counted="resources",
        further="each further resource",
        sizes=SIZES[warehouse],
        take=partial(_take, warehouse),
    )
    for warehouse, title in ((DUCKDB, "DuckDB"), (POSTGRES, "PostgreSQL"))
]
