"""Warehouses that hold the load before, and one trial of a fault in each."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.extract.paging import bulk_read
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.faults.fault import RESOURCE, Fault, rows_before, visits_api
from analytics_assets_tests.faults.server import FaultyServer
from analytics_assets_tests.faults.trial import (
    address,
    environment,
    judge,
    load_by_dagster,
    try_fault,
)
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings

Trial = Callable[[Fault], None]


@pytest.fixture(scope="session")
def prepared_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with the rows of the load before, made by a real load."""
    file = tmp_path_factory.mktemp("prepared") / "warehouse.duckdb"
    load_before({"DESTINATION__DUCKDB__CREDENTIALS": str(file)}, file.parent)
    return file


@pytest.fixture(scope="session")
def prepared_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a PostgreSQL database with the same, which those of tests are copied from."""
    with postgres_server.database() as name:
        settings = postgres_settings(postgres_server.url(name))
        load_before(settings, tmp_path_factory.mktemp("prepared"))
        yield name


@pytest.fixture
def duckdb_loaded_before(prepared_duckdb: Path, duckdb_warehouse: Warehouse) -> Warehouse:
    """A DuckDB file of the test's own with the load before."""
    shutil.copy(prepared_duckdb, str(duckdb_warehouse.duckdb_file))
    return duckdb_warehouse


@pytest.fixture
def postgres_loaded_before(
    prepared_postgres: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Warehouse]:
    """A PostgreSQL database of the test's own with the load before."""
    with postgres_server.database(template=prepared_postgres) as name:
        for variable, value in postgres_settings(postgres_server.url(name)).items():
            monkeypatch.setenv(variable, value)
        yield Warehouse.from_settings()


@pytest.fixture(params=["duckdb", "postgres"])
def loaded_before(request: pytest.FixtureRequest) -> Warehouse:
    """A warehouse with the load before: once a DuckDB file, once a PostgreSQL database."""
    chosen: Warehouse = request.getfixturevalue(f"{request.param}_loaded_before")
    return chosen


@pytest.fixture
def trial(
    request: pytest.FixtureRequest,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
    instance: dg.DagsterInstance,
    record_property: Callable[[str, object], None],
) -> Trial:
    """Try a fault on a warehouse that holds the load before, and keep what came out."""

    def run(fault: Fault) -> None:
        monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(request.param.in_flight))
        monkeypatch.setenv("READING__ADAPTIVE", "false")
        monkeypatch.setattr(bulk_read, "FEWEST", 1)
        holding = "warehouse" if fault.first else "loaded_before"
        outcome = try_fault(
            fault,
            request.getfixturevalue(f"{request.param.warehouse}_{holding}"),
            load_by_dagster(instance, request.param.typed),
        )
        record_property(*outcome.as_property())
        judge(fault, outcome)
        assert not [each for each in threading.enumerate() if each.name.startswith("page-ahead")]

    return run


def load_before(settings: dict[str, str], folder: Path) -> None:
    """Load the rows of the time before the fault."""
    working = {"PIPELINES_DIR": str(folder / "pipelines"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    with (
        FaultyServer(rows_before()) as server,
        environment({**settings, **working, **address(server)}),
        dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance,
    ):
        assert load(instance, RESOURCE, api=visits_api()).success
