"""Workers of Celery, with Redis for it, and PostgreSQL for Dagster's history and the warehouse."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY, point_at
from analytics_assets_tests.e2e.workers import shop
from analytics_assets_tests.e2e.workers.redis import RedisServer
from analytics_assets_tests.support.deployment import PATIENCE, wait_until
from analytics_assets_tests.support.postgres import PostgresServer
from analytics_assets_tests.support.sandbox import Sandbox

APP = "analytics_assets.orchestration.runs.executor.celery.worker"
# with a limit that a team may add: one run of an API at a time
SETTINGS = (
    (ROOT / "deploy" / "dagster.yaml")
    .read_text()
    .replace(
        "    max_concurrent_runs: 8\n",
        "    max_concurrent_runs: 8\n    tag_concurrency_limits:\n"
        "      - {key: api, value: {applyLimitPerUniqueValue: true}, limit: 1}\n",
    )
)
ROWS = {
    name: [
        {"id": f"{name}-{row}", "amount": row * number, "date": TODAY.isoformat()}
        for row in range(250)
    ]
    for number, name in enumerate([*shop.TABLES, shop.VISITS], 1)
}


class Cluster:
    """Workers and runs, each in processes of its own.

    Args:
        home: the folder of the Dagster instance.
        redis: the broker.
    """

    def __init__(self, home: Path, redis: RedisServer) -> None:
        self.home, self.redis = home, redis
        self._started = dict[str, subprocess.Popen[bytes]]()

    def worker(self, name: str, *options: str, processes: int = 1, queue: str = "dagster") -> None:
        """Start a worker."""
        command = [sys.executable, "-m", "celery", "-A", APP, "worker", "--loglevel", "INFO"]
        named = ["--hostname", f"{name}@%h", "--concurrency", str(processes), "-Q", queue]
        self._start(name, [*command, *named, *options])

    def wait_for(self, *names: str) -> None:
        """Wait until workers take steps."""
        for name in names:
            wait_until(partial(self._is_ready, name), f"{name} becoming ready")

    def _is_ready(self, name: str) -> bool:
        assert self._started[name].poll() is None, self.log(name)
        return " ready." in self.log(name)

    def run(self, job: str = "tables") -> str:
        """Start the process of a run, and return the id of the run."""
        run_id = str(uuid4())
        module = [shop.__name__, "-a", "definitions", "--tags", f'{{"test/run": "{run_id}"}}']
        command = [sys.executable, "-m", "dagster", "job", "execute", "-j", job, "-m", *module]
        self._start(run_id, command)
        return run_id

    def _start(self, name: str, command: Sequence[str]) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self._started[name] = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """Kill a worker, or the process of a run, with all its processes."""
        os.killpg(self._started[name].pid, signal.SIGKILL)
        self._started.pop(name).wait()

    def stop(self, name: str) -> int:
        """End a worker as a container's end does, and return its exit code."""
        self._started[name].terminate()
        return self._started.pop(name).wait(timeout=PATIENCE)

    def terminate(self, run: str) -> None:
        """Ask the process of a run to end, as the launcher does for *Terminate*."""
        with dg.DagsterInstance.get() as instance:
            [found] = instance.get_runs(dg.RunsFilter(tags={"test/run": run}))
            instance.report_run_canceling(found)
        self._started[run].send_signal(signal.SIGINT)

    def log(self, name: str) -> str:
        """Return what a process has printed."""
        return (self.home / f"{name}.log").read_text()

    def logged(self) -> dict[str, int]:
        """Return how much each process has printed so far."""
        return {file.stem: len(file.read_text()) for file in self.home.glob("*.log")}

    def workers_of(self, table: str, since: Mapping[str, int] | None = None) -> list[str]:
        """Return the workers that have begun to load a table, sorted.

        Args:
            table: the table.
            since: what was `logged` before; None for nothing.
        """
        before = since or {}
        logs = {
            file.stem: file.read_text()[before.get(file.stem, 0) :]
            for file in self.home.glob("*.log")
        }
        return sorted(name for name, log in logs.items() if f"{table}: reading from" in log)

    def messages(self, queue: str) -> list[str]:
        """Return the messages that wait in a queue, whatever their priority."""
        keys = self.redis.ask("KEYS", f"{queue}*").splitlines()
        return [
            line for key in keys for line in self.redis.ask("LRANGE", key, "0", "-1").splitlines()
        ]

    def ended(self, run: str) -> dg.DagsterRun:
        """Wait until a run has ended, and return it."""
        wait_until(lambda: self._started[run].poll() is not None, f"the end of run {run}")
        with dg.DagsterInstance.get() as instance:
            [found] = instance.get_runs(dg.RunsFilter(tags={"test/run": run}))
        return found

    def close(self) -> None:
        """Kill all processes."""
        for name in list(self._started):
            if self._started[name].poll() is None:
                self.kill(name)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The API that is read, with a table for each resource."""
    with Sandbox(extra_rows=ROWS, today=TODAY, client_id=f"client-{uuid4().hex}") as running:
        point_at(running, monkeypatch)
        yield running


@pytest.fixture
def cluster(
    postgres_server: PostgresServer,
    postgres_warehouse: Warehouse,
    clean_place: Path,
    api: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cluster]:
    """A cluster without workers yet."""
    (clean_place / "dagster.yaml").write_text(SETTINGS)
    monkeypatch.delenv("DATASET_NAME")
    with ExitStack() as stack:
        history = stack.enter_context(postgres_server.empty_database())
        redis = stack.enter_context(RedisServer())
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_server.url(history))
        monkeypatch.setenv("DAGSTER_HOME", str(clean_place))
        monkeypatch.setenv("DAGSTER_FILES", str(clean_place))
        monkeypatch.setenv("EXECUTOR", "celery")
        monkeypatch.setenv("CELERY_BROKER", redis.url)
        running = Cluster(clean_place, redis)
        stack.callback(running.close)
        yield running
