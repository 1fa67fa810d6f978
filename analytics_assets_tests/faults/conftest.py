"""Warehouses that hold the load before, and one trial of a fault in each."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import dagster as dg
import dlt
import pytest

from analytics_assets.extract import middle_pages
from analytics_assets.warehouse import Warehouse
from analytics_assets_tests.faults.fault import RESOURCE, Fault, rows_before, visits_api
from analytics_assets_tests.faults.server import FaultyServer
from analytics_assets_tests.faults.trial import (
    address,
    environment,
    judge,
    load_by_dagster,
    try_fault,
)
from analytics_assets_tests.loading import load

Trial = Callable[[Fault], None]


@pytest.fixture(scope="session")
def prepared_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with the rows of the load before, made by a real load."""
    file = tmp_path_factory.mktemp("prepared") / "warehouse.duckdb"
    load_before({"DESTINATION__DUCKDB__CREDENTIALS": str(file)}, file.parent)
    return file


@pytest.fixture(scope="session")
def prepared_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a PostgreSQL database with the same, which databases of tests are copied from."""
    url = database_url(postgres_url, f"prepared_{uuid4().hex}", "template0")
    load_before(postgres_settings(url), tmp_path_factory.mktemp("prepared"))
    return url


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
        monkeypatch.setattr(middle_pages, "FEWEST", 1)
        if request.param.warehouse == "postgres":
            prepared = request.getfixturevalue("prepared_postgres")
            template = "template0" if fault.first else database_of(prepared)
            url = database_url(prepared, f"test_{uuid4().hex}", template)
            for name, value in postgres_settings(url).items():
                monkeypatch.setenv(name, value)
        elif not fault.first:
            prepared = request.getfixturevalue("prepared_duckdb")
            shutil.copy(prepared, clean_place / "warehouse.duckdb")
        outcome = try_fault(
            fault, Warehouse.from_settings(), load_by_dagster(instance, request.param.typed)
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


def postgres_settings(url: str) -> dict[str, str]:
    return {"DESTINATION_TYPE": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": url}


def database_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def database_url(url: str, name: str, template: str) -> str:
    """Make a database as a copy of another one of the same server."""
    server, _, query = url.partition("?")
    root = server.rpartition("/")[0]
    postgres = dlt.destinations.postgres(f"{root}/postgres?{query}")
    pipeline = dlt.pipeline("maker", destination=postgres, dataset_name="none")
    with pipeline.sql_client() as client:
        client.execute_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{root}/{name}?{query}"
