"""A container that is killed: the next one ends its run, and loads its tables again.

A container is a process in namespaces of its own for host names and process numbers. It shares
nothing with the next one but PostgreSQL, for Dagster's history and the tables.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import pytest
import yaml

from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.dead_runs import end_dead_runs
from analytics_assets.orchestration.runs.liveness.lease import LeaseKey
from analytics_assets.orchestration.runs.liveness.lease_watch import LeaseWatch
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.postgres import PostgresServer
from analytics_assets_tests.support.sandbox import Sandbox

UNSHARE = ["unshare", "--uts", "--pid", "--mount-proc", "--fork", "--kill-child"]
AS_ROOT = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
NAMED = ["sh", "-c", 'hostname "$0" && exec "$@"']
JOB = ["-m", "dagster", "job", "execute", "-m", "analytics_assets.definitions"]
MATERIALIZE = ["-m", "analytics_assets.cli.main", "materialize", "page_views"]
TABLE = "analytics.page_views"
PATIENCE = 600  # seconds that a busy machine may take


@pytest.fixture
def home(
    clean_place: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The folder of a Dagster instance with its history in PostgreSQL."""
    with postgres_server.empty_database() as database:
        settings = yaml.safe_load((ROOT / "dagster.yaml").read_bytes())
        settings["storage"] = {
            "custom": {
                "module": "analytics_assets.orchestration.runs.storage",
                "class": "PostgresStorage",
                "config": {"postgres_url": postgres_server.url(database)},
            }
        }
        (clean_place / "dagster.yaml").write_text(yaml.safe_dump(settings))
        monkeypatch.setenv("DAGSTER_HOME", str(clean_place))
        yield clean_place


class Observer:
    """Looks for dead runs; its minute takes as long as a test needs."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.table = instance, LeaseTable(instance)
        self._now = 0.0
        self._watch = LeaseWatch(lambda: self._now)

    def looks(self) -> list[str]:
        """Look half a minute after the last look, and return the runs that were ended."""
        self._now += 30
        return end_dead_runs(self.instance, watch=self._watch)

    def sees_a_renewal(self) -> None:
        """Wait for a renewal of a lease."""
        before = dict(self.table.read())
        wait_until(lambda: dict(self.table.read()) != before, "a renewal", PATIENCE)


@pytest.fixture
def observer(home: Path) -> Iterator[Observer]:
    """An observer in the container of the tests."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield Observer(instance)


def is_asked(sandbox: Sandbox) -> None:
    """Wait for the request of a run."""
    wait_until(
        lambda: [each for each in sandbox.requests if each.path == "/v1/page_views"],
        "the request of the run",
        PATIENCE,
    )


@contextmanager
def container(name: str, arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run Python in a container, which ends with the context."""
    process = subprocess.Popen(
        [*UNSHARE, *AS_ROOT, *NAMED, name, sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_new_container_ends_the_run_of_a_killed_one_and_none_that_is_alive(
    observer: Observer, connected: Sandbox, postgres_warehouse: Warehouse
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, delay=PATIENCE * 3))
    with container("one", [*JOB, "-j", "analytics_daily_2"]) as one:
        is_asked(connected)
        [run] = observer.instance.get_runs()
        assert [LeaseKey.of(key) for key in observer.table.read()] == [LeaseKey(run.run_id)]
        for _ in range(2):
            assert observer.looks() == []
            observer.sees_a_renewal()
        os.killpg(one.pid, signal.SIGKILL)

    assert [observer.looks(), observer.looks(), observer.looks()] == [[], [], [run.run_id]]
    killed = observer.instance.get_run_by_id(run.run_id)
    assert killed is not None
    assert killed.status is dg.DagsterRunStatus.FAILURE
    assert dict(observer.table.read()) == {}

    connected.faults.clear()
    with container("two", MATERIALIZE) as two:
        output, _ = two.communicate(timeout=PATIENCE)
        assert two.returncode == 0, output
    assert postgres_warehouse.query(f"SELECT count(*) > 0 FROM {TABLE}") == [(True,)]


def test_a_container_that_was_stopped_and_wakes_up_writes_nothing(
    observer: Observer, connected: Sandbox, postgres_warehouse: Warehouse
) -> None:
    is_stopped = threading.Event()

    def answer(exchange: Exchange) -> None:
        is_stopped.wait(PATIENCE)
        exchange.answer(exchange.proper())

    connected.faults.add(Fault(path="/v1/page_views", does=answer))
    with container("one", [*JOB, "-j", "analytics_daily_2"]) as one:
        is_asked(connected)
        [run] = observer.instance.get_runs()
        [init] = psutil.Process(one.pid).children()
        for process in processes_of(init):
            process.suspend()
        is_stopped.set()
        assert [observer.looks(), observer.looks(), observer.looks()] == [[], [], [run.run_id]]
        for process in processes_of(init):
            process.resume()
        one.communicate(timeout=PATIENCE)

    assert one.returncode != 0
    failed = observer.instance.get_run_by_id(run.run_id)
    assert failed is not None
    assert failed.status is dg.DagsterRunStatus.FAILURE
    reasons = [
        str(event.dagster_event and event.dagster_event.step_failure_data.user_failure_data)
        for event in observer.instance.all_logs(run.run_id, dg.DagsterEventType.STEP_FAILURE)
    ]
    assert [reason for reason in reasons if "has ended (FAILURE)" in reason]
    made = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'page_views'"
    assert postgres_warehouse.query(made) == [(0,)]


def processes_of(init: psutil.Process) -> list[psutil.Process]:
    """Return the processes of a container."""
    return [init, *init.children(recursive=True)]
