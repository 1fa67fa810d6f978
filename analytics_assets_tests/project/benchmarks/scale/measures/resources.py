"""A run of all resources of an API: what each further one costs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psutil

from analytics_assets_tests.project.benchmarks.measurement.merging import DUCKDB, POSTGRES
from analytics_assets_tests.project.benchmarks.scale.api_server import serving
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.project import Folder, Project, Usage
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings

JOB = "scale_daily"
SIZES = (10, 50, 200)


class Place:
    """A folder with a warehouse.

    Args:
        folder: the folder.
        server: the warehouse's server; None for a DuckDB file.
    """

    def __init__(self, folder: Folder, server: PostgresServer | None) -> None:
        self.folder = folder
        self.server = server

    def run_job(self, job: str, tags: Mapping[str, str] | None = None) -> Usage:
        """Run a job; the CPU seconds of the warehouse's server count, too."""
        before = self._server_cpu()
        usage = self.folder.run_job(job, tags)
        of_server = self._server_cpu() - before
        return Usage(usage.seconds, usage.cpu_seconds + of_server, usage.peak_bytes, usage.printed)

    def _server_cpu(self) -> float:
        if self.server is None:
            return 0.0
        first = psutil.Process(self.server.pid)
        times = [each.cpu_times() for each in (first, *first.children(recursive=True))]
        # a process has the times of its children that have ended
        return sum(t.user + t.system + t.children_user + t.children_system for t in times)


@contextmanager
def placed(project: Project, warehouse: str, size: Mapping[str, Any]) -> Iterator[Place]:
    """Make a folder with an empty warehouse for a project; see `Project.folder`."""
    if warehouse == DUCKDB:
        with project.folder(size) as folder:
            yield Place(folder, None)
        return
    with (
        PostgresServer() as server,
        project.folder(size, **postgres_settings(server.url())) as folder,
    ):
        yield Place(folder, server)


def _take(warehouse: str, project: Project, size: int) -> Mapping[str, float]:
    """Run all resources twice, the first time into no table and no history."""
    with (
        serving() as url,
        placed(project, warehouse, {"url": f"{url}/10x1/", "resources": size}) as place,
    ):
        first = place.run_job(JOB)
        before = place.folder.history_bytes
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
        sizes=SIZES,
        take=lambda project, size, warehouse=warehouse: _take(warehouse, project, size),  # type: ignore[misc]
    )
    for warehouse, title in ((DUCKDB, "DuckDB"), (POSTGRES, "PostgreSQL"))
]
