"""Faults of the machine: killed processes, a full disk, a warehouse that goes away."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.faults.conftest import load_before
from analytics_assets_tests.faults.doomed_load import Doom
from analytics_assets_tests.faults.fault import RESOURCE, Row, rows_before, rows_now, visits_api
from analytics_assets_tests.faults.server import Exchange, FaultyServer
from analytics_assets_tests.faults.trial import (
    SETTINGS,
    address,
    differences,
    environment,
    held_by,
    look,
)
from analytics_assets_tests.faults.tricks import once
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings

pytestmark = pytest.mark.slow

NORMALIZE = "dlt.normalize.normalize:Normalize.spool_files"
LOAD = "dlt.load.load:Load.load_single_package"
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
STATEMENTS = "dlt.destinations.sql_client:SqlClientBase.execute_many"
MERGED = "dlt.load.load:Load.complete_package"
LOADED = "analytics_assets.orchestration.assets.materialization:Loader.extract_resource_metadata"


@dataclass(frozen=True)
class Kill:
    """A process that is killed, and whether the rows are in the table by then.

    Args:
        name: when it is killed.
        points: the functions that are reached before, as `Doom` takes them.
        arrived: whether the table holds the new rows.
        half_way: whether the first of the merge's statements has been executed.
    """

    name: str
    points: tuple[str, ...]
    arrived: bool = False
    half_way: bool = False


KILLS = [
    Kill("killed before normalizing", ("dlt.pipeline.pipeline:Pipeline.normalize",)),
    Kill("killed while normalizing", (NORMALIZE,)),
    Kill("killed before loading", (LOAD,)),
    Kill("killed before the merge", (MERGE,)),
    Kill("killed half way through the merge", (MERGE, STATEMENTS), half_way=True),
    Kill("killed after the merge", (MERGED,), arrived=True),
    Kill("killed after the load, before the materialization", (LOADED,), arrived=True),
]
SERVER_KILLS = [
    Kill("PostgreSQL killed before loading", (LOAD,)),
    Kill("PostgreSQL killed before the merge", (MERGE,)),
    Kill("PostgreSQL killed after the merge", (MERGED,), arrived=True),
]


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """The API, at the time after the load before."""
    with FaultyServer(rows_now()) as running, environment({**SETTINGS, **address(running)}):
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
            "analytics_assets_tests.faults.doomed_load",
            json.dumps(asdict(doom)),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def check(
    name: str,
    rows: list[Row],
    arrived: bool,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    record_property: Callable[[str, object], None],
    error: str = "killed",
) -> None:
    """Look at the table, then load again and look at it once more."""
    outcome = look(name, warehouse, rows if arrived else rows_before(), error)
    record_property(*outcome.as_property())
    assert outcome.wrong == 0, outcome.example
    assert load(instance, RESOURCE, api=visits_api()).success
    assert differences(rows, held_by(warehouse)[0]) == []


def test_a_process_killed_while_reading_leaves_the_table_and_the_next_run_makes_it_good(
    server: FaultyServer,
    loaded_before: Warehouse,
    instance: dg.DagsterInstance,
    record_property: Callable[[str, object], None],
) -> None:
    running: list[subprocess.Popen[str]] = []

    def kill(exchange: Exchange) -> None:
        running[0].kill()
        exchange.send()

    server.play(once(kill))
    running.append(doomed(Doom()))
    running[0].communicate()
    assert running[0].returncode == -signal.SIGKILL
    check("killed while reading", rows_now(), False, loaded_before, instance, record_property)


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.name)
def test_a_process_killed_later_leaves_a_whole_table_and_the_next_run_makes_it_good(
    server: FaultyServer,
    loaded_before: Warehouse,
    instance: dg.DagsterInstance,
    record_property: Callable[[str, object], None],
    kill: Kill,
) -> None:
    process = doomed(Doom(kill.points, kill.half_way))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    check(kill.name, rows_now(), kill.arrived, loaded_before, instance, record_property)


def failing_for_a_full_disk(server: FaultyServer, limit: int) -> str:
    """Load rows that need more than a file may have; return why that failed."""
    for row in server.rows[-40:]:  # small in parquet, and large in DuckDB's log
        row["note"] = row["id"] * 60_000
    error: str = json.loads(doomed(Doom(file_limit=limit)).communicate()[0])
    assert RESOURCE in error
    assert "File too large" in error  # what the system says, as of a disk that is full
    return error


def test_a_disk_that_dlts_files_fill_fails_the_run_and_leaves_the_table(
    server: FaultyServer,
    loaded_before: Warehouse,
    instance: dg.DagsterInstance,
    record_property: Callable[[str, object], None],
) -> None:
    error = failing_for_a_full_disk(server, 20_000)
    assert "duckdb" not in error.lower()
    rows = [*server.rows]
    check("disk full: dlt's files", rows, False, loaded_before, instance, record_property, error)


def test_a_disk_that_duckdbs_file_fills_fails_the_run_and_leaves_the_table(
    server: FaultyServer,
    duckdb_loaded_before: Warehouse,
    instance: dg.DagsterInstance,
    record_property: Callable[[str, object], None],
) -> None:
    file = duckdb_loaded_before.duckdb_file
    assert file
    error = failing_for_a_full_disk(server, file.stat().st_size + 5_000_000)
    assert "duckdb" in error.lower()
    rows = [*server.rows]
    check(
        "disk full: DuckDB's file",
        rows,
        False,
        duckdb_loaded_before,
        instance,
        record_property,
        error,
    )


@pytest.mark.parametrize("kill", SERVER_KILLS, ids=lambda kill: kill.name)
def test_a_warehouse_that_goes_away_fails_the_run_and_keeps_a_whole_table(
    server: FaultyServer,
    own_postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    clean_place: Path,
    instance: dg.DagsterInstance,
    record_property: Callable[[str, object], None],
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
    warehouse = Warehouse.from_settings()
    check(kill.name, rows_now(), kill.arrived, warehouse, instance, record_property, error)
