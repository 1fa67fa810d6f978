"""Warehouses that hold the load before."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets.extract.http.shared_store.process import close_all
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.project.hostile.faults.case import rows_before
from analytics_assets_tests.project.hostile.faults.targets import Table
from analytics_assets_tests.project.hostile.faults.trial import address, environment
from analytics_assets_tests.project.hostile.faults.visits import VisitsServer
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings


@pytest.fixture(scope="session")
def prepared_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with the rows of the load before, made by a load."""
    file = tmp_path_factory.mktemp("prepared") / "warehouse.duckdb"
    load_before({"DESTINATION__DUCKDB__CREDENTIALS": str(file)}, file.parent)
    return file


@pytest.fixture(scope="session")
def prepared_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a PostgreSQL database with the same, the template of those of tests."""
    with postgres_server.database() as name:
        settings = postgres_settings(postgres_server.url(name))
        load_before(settings, tmp_path_factory.mktemp("prepared"))
        close_all()  # nobody else may use a database that is copied
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
        yield Warehouse.from_settings("analytics")
        close_all()


@pytest.fixture(params=["duckdb", "postgres"])
def loaded_before(request: pytest.FixtureRequest) -> Warehouse:
    """A warehouse with the load before: once a DuckDB file, once a PostgreSQL database."""
    chosen: Warehouse = request.getfixturevalue(f"{request.param}_loaded_before")
    return chosen


def load_before(settings: dict[str, str], folder: Path) -> None:
    """Load the rows of the time before the fault."""
    working = {"PIPELINES_DIR": str(folder / "pipelines"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    with (
        VisitsServer(rows_before()) as server,
        environment({**settings, **working, **address(server)}),
    ):
        assert Table(Warehouse.from_settings("analytics")).load({}) is None
