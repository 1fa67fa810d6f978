"""A container that is killed: the next one ends its run, and loads its tables again.

A container is a process in namespaces of its own for host names and process numbers. It shares
nothing with the next one but PostgreSQL, for Dagster's history and the tables.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import yaml

from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.dead_runs import end_dead_runs
from analytics_assets.orchestration.runs.liveness.lease import LeaseKey
from analytics_assets.orchestration.runs.liveness.lease_watch import LeaseWatch
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.postgres import PostgresServer
from analytics_assets_tests.support.sandbox import Sandbox

UNSHARE = ["unshare", "--uts", "--pid", "--mount-proc", "--fork", "--kill-child"]
AS_ROOT = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
NAMED = ["sh", "-c", 'hostname "$0" && exec "$@"']
JOB = ["-m", "dagster", "job", "execute", "-m", "analytics_assets.definitions"]
MATERIALIZE = ["-m", "analytics_assets.cli.main", "materialize", "page_views"]
PATIENCE = 120  # seconds that a busy machine may take


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
    home: Path, connected: Sandbox, postgres_warehouse: Warehouse
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, delay=PATIENCE * 3))
    now = 0.0
    watch = LeaseWatch(lambda: now)  # its minute takes as long as the leases of the test
    with dg.DagsterInstance.from_config(str(home)) as instance:
        table = LeaseTable(instance)

        def ended() -> list[str]:
            nonlocal now
            now += 30
            return end_dead_runs(instance, watch=watch)

        def renewed() -> bool:
            return dict(table.read()) != before

        with container("one", [*JOB, "-j", "analytics_daily_2"]) as one:
            wait_until(
                lambda: [each for each in connected.requests if each.path == "/v1/page_views"],
                "the request of the run",
                PATIENCE,
            )
            [run] = instance.get_runs()
            assert [LeaseKey.of(key) for key in table.read()] == [LeaseKey(run.run_id)]
            for _ in range(3):
                before = dict(table.read())
                assert ended() == []
                wait_until(renewed, "a renewal", PATIENCE)
            os.killpg(one.pid, signal.SIGKILL)

        assert [ended(), ended(), ended()] == [[], [], [run.run_id]]
        killed = instance.get_run_by_id(run.run_id)
        assert killed is not None
        assert killed.status is dg.DagsterRunStatus.FAILURE
        assert dict(table.read()) == {}

        connected.faults.clear()
        with container("two", MATERIALIZE) as two:
            output, _ = two.communicate(timeout=PATIENCE)
            assert two.returncode == 0, output
    assert postgres_warehouse.query("SELECT count(*) > 0 FROM analytics.page_views") == [(True,)]
