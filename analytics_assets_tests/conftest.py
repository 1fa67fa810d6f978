"""Fixtures of all tests: an empty folder, an embedded API and a warehouse of the test's own.

A test that loads, reads a table or runs a command takes the fixture `warehouse`, and runs twice:
with DuckDB and with PostgreSQL. The fixture sets environment variables, so that
`Warehouse.from_settings(api)`, `load()` and processes that the test starts find the warehouse, with
one dataset for all APIs; a test that needs nothing else of it is marked
`@pytest.mark.usefixtures("warehouse")`. Tests of DuckDB's file alone take `duckdb_warehouse`, tests
of a server alone `postgres_warehouse`. Without any of them there is no warehouse, and a load fails.
`loading.table_rows()` returns the same rows for both.

In the folders `KEPT_OPEN` the test keeps DuckDB's file open; a test of who has it open takes
`closed_duckdb_warehouse`.

Outside `warehouse/`, the turn of PostgreSQL is marked `e2e`: `make test` leaves it out. A test of a
merge, which each warehouse does in its own way, is marked `merge` and takes both turns there.

A test process has one PostgreSQL server, and each test a database of its own on it. A test that
kills a server starts its own: `with PostgresServer() as server`.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from functools import cache
from pathlib import Path
from shutil import copyfile
from typing import Any, cast
from uuid import uuid4

import dagster as dg
import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from dagster._core.storage import sqlite_storage
from dagster._core.storage.defs_state.base import set_defs_state_storage
from dlt.extract.extractors import ArrowExtractor

from analytics_assets.extract.http import connection
from analytics_assets.extract.http.shared_store.process import close_all
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings
from analytics_assets_tests.support.sandbox import Sandbox

TESTS = Path(__file__).parent
ROOT = TESTS.parent
DATASET = "analytics"  # of the warehouse of a test, whatever its APIs are called
TODAY = date(2025, 8, 1)  # thirty days of data: enough to page through, quick to load
SETTINGS = (
    "BASE_URL",
    "TOKEN_URL",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "REFRESH_TOKEN",
    "PRIVATE_KEY",
    "SCOPE",
    "DESTINATION_TYPE",
    "DATASET_NAME",
    "LOCK_PATIENCE",
    "HISTORY_DAYS",
    "DAGSTER_HOME",
)

# folders in which most tests load: to open and close a DuckDB file takes 15 ms of CPU each time,
# and nearly none where the process has it open, which is an eighth of a load
KEPT_OPEN = ("extract", "orchestration/assets", "orchestration/checks")

# a folder that does not exist: a test has a warehouse only by a fixture
NO_WAREHOUSE = "the test takes no fixture warehouse, duckdb_warehouse or postgres_warehouse"

# processes that a test starts in its own folder find these modules, which the package has not
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# modules, tests and fixtures live as long as the process: to look for garbage among them as often
# as is usual takes a tenth of a test's time
gc.set_threshold(10_000, 20, 20)

FAMILIES = (
    *("SOURCES__", "DESTINATION__", "RUNTIME__", "READING__", "SANDBOX__", "SHARED_STORE__"),
)


@pytest.hookimpl(tryfirst=True)  # before the option -m is applied
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `e2e` the folder `e2e` and, outside `warehouse/` and merges, PostgreSQL's turns."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        quick = item.path.is_relative_to(TESTS / "warehouse") or item.get_closest_marker("merge")
        postgres = parameters.get("warehouse") == "postgres" and not quick
        if postgres or item.path.is_relative_to(TESTS / "e2e"):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session", autouse=True)
def empty_history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Copy the files of a history without a run, in place of making them for each test.

    Dagster 1.13 makes 40 tables in three files, which takes 0.2 s of CPU and dozens of waits for
    the disk.
    """
    made, storage = tmp_path_factory.mktemp("history"), cast(Any, sqlite_storage)
    make_folder = storage.mkdir_p

    @cache
    def files() -> list[Path]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(storage, "mkdir_p", make_folder)
            storage.DagsterSqliteStorage.from_local(str(made))
        return list(made.glob("**/*.db"))

    def copy_into(folder: str) -> str:
        if not (Path(folder) / "history").exists():
            for file in files():
                copied = Path(folder) / file.relative_to(made)
                copied.parent.mkdir(parents=True, exist_ok=True)
                copyfile(file, copied)
        return str(make_folder(folder))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "mkdir_p", copy_into)
        yield


@pytest.fixture(scope="session", autouse=True)
def unversioned_memory() -> Iterator[None]:
    """Leave out the version of a history in memory, which nobody migrates.

    Dagster 1.13 imports all its migrations for each instance to find it, 35 ms of CPU.
    """
    with pytest.MonkeyPatch.context() as patch:
        for storage in ("runs", "event_log"):
            name = f"dagster._core.storage.{storage}.in_memory.stamp_alembic_rev"
            patch.setattr(name, lambda *_: None)
        yield


@pytest.fixture(autouse=True)
def clean_place(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Run each test in an empty folder, with the settings of a fresh clone and short waits."""
    for name in list(os.environ):
        if name in SETTINGS or name.startswith(FAMILIES):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    # those of a developer, and of the machine, are for no test
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    no_secrets = tmp_path_factory.getbasetemp() / "no_secrets"
    no_secrets.mkdir(exist_ok=True)
    monkeypatch.setenv("SECRETS_DIR", str(no_secrets))
    # a server of an earlier test may have asked for an hour's wait, and a later one get its port
    monkeypatch.setattr(connection, "_hosts", {})
    monkeypatch.setattr(connection, "_rate_limits", {})
    redact.clear()  # what is a secret in one test is a word in another one
    # it looks the settings up when it is imported, once a process
    monkeypatch.delitem(sys.modules, "analytics_assets.defs.example_mart.assets", raising=False)
    monkeypatch.setenv("SANDBOX__ENABLED", "true")  # also with a warehouse of the test's own
    monkeypatch.setenv("SANDBOX__TODAY", TODAY.isoformat())
    monkeypatch.setenv("PIPELINES_DIR", str(tmp_path / "pipelines"))
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / NO_WAREHOUSE / "file"))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
    # fixtures that end in another order than they began leave that of an instance which is gone
    with set_defs_state_storage(None):
        yield tmp_path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An embedded API of the test's own."""
    # tokens are shared by client within a process, and a later test may get the same port
    with Sandbox(today=TODAY, client_id=f"client-{uuid4().hex}") as running:
        yield running


@pytest.fixture
def connected(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The same, set as the API to read from, as a real one would be."""
    point_at(sandbox, monkeypatch)
    return sandbox


def point_at(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set base URL, token URL and client in the environment."""
    monkeypatch.setenv("BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TOKEN_URL", sandbox.token_url)
    monkeypatch.setenv("CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("CLIENT_SECRET", sandbox.client_secret)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Any]], Sandbox]]:
    """Serve other rows as `orders` from now on."""
    with ExitStack() as running:

        def start(rows: list[Any]) -> Sandbox:
            sandbox = running.enter_context(
                Sandbox(extra_rows={"orders": rows}, client_id=f"client-{uuid4().hex}")
            )
            point_at(sandbox, monkeypatch)
            return sandbox

        yield start


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance of the test's own, with its history in memory."""
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as temporary:
        yield temporary


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started for the tests that need one and stopped after the last."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    with postgres_server.empty_database() as name:
        yield postgres_server.url(name)
        close_all()  # nobody else may use a database that is emptied


@pytest.fixture
def closed_duckdb_warehouse(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty DuckDB file, which nobody has open but those who read and write."""
    file = str(clean_place / "warehouse.duckdb")
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", file)
    monkeypatch.setenv("DATASET_NAME", DATASET)
    return Warehouse.from_settings("analytics")


@pytest.fixture
def duckdb_warehouse(
    closed_duckdb_warehouse: Warehouse, request: pytest.FixtureRequest
) -> Iterator[Warehouse]:
    """An empty DuckDB file, for tests that are about such a file."""
    with ExitStack() as stack:
        if any(request.path.is_relative_to(TESTS / folder) for folder in KEPT_OPEN):
            stack.enter_context(duckdb.connect(str(closed_duckdb_warehouse.duckdb_file)))
        yield closed_duckdb_warehouse


@pytest.fixture
def postgres_warehouse(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty PostgreSQL database, for tests that are about such a server."""
    for name, value in postgres_settings(postgres_url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATASET_NAME", DATASET)
    return Warehouse.from_settings("analytics")


@pytest.fixture
def delta_warehouse(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty folder for Delta tables, for tests that are about such."""
    monkeypatch.setenv("DESTINATION_TYPE", "filesystem")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(clean_place / "lake"))
    monkeypatch.setenv("DATASET_NAME", DATASET)
    return Warehouse.from_settings("analytics")


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    """An empty warehouse: once a DuckDB file, once a PostgreSQL database."""
    chosen: Warehouse = request.getfixturevalue(f"{request.param}_warehouse")
    return chosen


@pytest.fixture
def arrow_tables(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The Arrow tables that dlt was given."""
    given: list[Any] = []
    write = ArrowExtractor.write_items

    def write_items(extractor: Any, resource: Any, items: Any, meta: Any) -> None:
        given.append(items)
        write(extractor, resource, items, meta)

    monkeypatch.setattr(ArrowExtractor, "write_items", write_items)
    return given


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """A service account's key, made once as that takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
