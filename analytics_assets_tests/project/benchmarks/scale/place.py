"""A project in a folder, beside a warehouse of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psutil

from analytics_assets_tests.project.benchmarks.measurement.merging import DUCKDB
from analytics_assets_tests.project.benchmarks.scale.project import Folder, Project, Usage
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings


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
        """Run a job; the CPU seconds of the warehouse's server count, too.

        Raises:
            BenchmarkError: the run failed.
        """
        before = self._server_cpu()
        usage = self.folder.run_job(job, tags)
        of_server = self._server_cpu() - before
        return Usage(usage.seconds, usage.cpu_seconds + of_server, usage.peak_bytes, usage.printed)

    def _server_cpu(self) -> float:
        return cpu_of_processes(self.server.pid) if self.server else 0.0


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


def cpu_of_processes(pid: int) -> float:
    """Return the CPU seconds of a process and of those that it has started."""
    first = psutil.Process(pid)
    times = [each.cpu_times() for each in (first, *first.children(recursive=True))]
    # a process has the times of its children that have ended
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)
