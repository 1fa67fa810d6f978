"""Faults of the machine: killed processes, a full disk, a killed warehouse."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.project.hostile.faults.case import RESOURCE, Row, rows_before, rows_now
from analytics_assets_tests.project.hostile.faults.conftest import load_before
from analytics_assets_tests.project.hostile.faults.machine.doomed_load import Doom
from analytics_assets_tests.project.hostile.faults.machine.kills import (
    KILLS,
    LOAD,
    MERGE,
    MERGED,
    Kill,
)
from analytics_assets_tests.project.hostile.faults.targets import Table
from analytics_assets_tests.project.hostile.faults.trial import (
    SETTINGS,
    address,
    differences,
    environment,
)
from analytics_assets_tests.project.hostile.faults.visits import VisitsServer, once
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings

pytestmark = pytest.mark.e2e

SERVER_KILLS = [
    Kill("PostgreSQL killed before loading", (LOAD,)),
    Kill("PostgreSQL killed before the merge", (MERGE,)),
    Kill("PostgreSQL killed after the merge", (MERGED,), arrived=True),
]


@pytest.fixture
def server() -> Iterator[VisitsServer]:
    """The API, at the time after the load before."""
    with VisitsServer(rows_now()) as running, environment({**SETTINGS, **address(running)}):
        yield running


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test's own, which it may kill and start again."""
    with PostgresServer() as running:
        yield running


def doomed(doom: Doom) -> subprocess.Popen[str]:
    """Start a load in a process of its own."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "analytics_assets_tests.project.hostile.faults.machine.doomed_load",
            json.dumps(asdict(doom)),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def check(rows: list[Row], arrived: bool, warehouse: Warehouse) -> None:
    """Compare the table with the expected rows, then load again and compare once more."""
    table = Table(warehouse)
    assert differences(rows if arrived else rows_before(), table.content()[0]) == []
    assert table.load({}) is None
    assert differences(rows, table.content()[0]) == []


def test_a_process_killed_while_reading_leaves_the_table_and_the_next_run_completes_it(
    server: VisitsServer,
    loaded_before: Warehouse,
) -> None:
    running: list[subprocess.Popen[str]] = []

    def kill(exchange: Exchange) -> None:
        running[0].kill()
        exchange.send()

    server.play(once(kill))
    running.append(doomed(Doom()))
    running[0].communicate()
    assert running[0].returncode == -signal.SIGKILL
    check(rows_now(), False, loaded_before)


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.name)
def test_a_process_killed_later_leaves_a_whole_table_and_the_next_run_completes_it(
    server: VisitsServer,
    loaded_before: Warehouse,
    kill: Kill,
) -> None:
    process = doomed(Doom(kill.points, kill.half_way))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    check(rows_now(), kill.arrived, loaded_before)


def failing_for_a_full_disk(server: VisitsServer, limit: int) -> str:
    """Load rows that need more than a file may have; return why that failed."""
    for row in server.rows[-40:]:  # small in parquet, as it is one, and large in DuckDB's log
        row["note"] = "a" * 200_000
    error: str = json.loads(doomed(Doom(file_limit=limit)).communicate()[0])
    assert RESOURCE in error
    assert "File too large" in error  # the system's message, as for a full disk
    return error


def test_a_disk_that_dlts_files_fill_fails_the_run_and_leaves_the_table(
    server: VisitsServer,
    loaded_before: Warehouse,
) -> None:
    error = failing_for_a_full_disk(server, 20_000)
    assert "The disk is full: File too large." in error
    check([*server.rows], False, loaded_before)


def test_a_disk_that_duckdbs_file_fills_fails_the_run_and_leaves_the_table(
    server: VisitsServer,
    duckdb_loaded_before: Warehouse,
) -> None:
    file = duckdb_loaded_before.duckdb_file
    assert file
    error = failing_for_a_full_disk(server, file.stat().st_size + 5_000_000)
    assert "The disk is full: " in error
    assert file.name in error
    check([*server.rows], False, duckdb_loaded_before)


@pytest.mark.parametrize("kill", SERVER_KILLS, ids=lambda kill: kill.name)
def test_a_killed_warehouse_fails_the_run_and_keeps_a_whole_table(
    server: VisitsServer,
    own_postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    clean_place: Path,
    kill: Kill,
) -> None:
    settings = postgres_settings(own_postgres.url())
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    load_before(settings, clean_place)
    process = doomed(Doom(kill.points, victim=own_postgres.pid))
    error = json.loads(process.communicate()[0])
    assert RESOURCE in error
    own_postgres.start()
    check(rows_now(), kill.arrived, Warehouse.from_settings("analytics"))
