"""What every room's tests share: a clean place, an embedded API of their own, a real PostgreSQL."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from analytics_assets.sandbox import Sandbox
from analytics_assets.warehouse import Warehouse
from analytics_assets_tests.faults.summary import pytest_terminal_summary as pytest_terminal_summary
from analytics_assets_tests.postgres import start_postgres

ROOT = Path(__file__).parents[1]
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
    "DAGSTER_HOME",
)

FAMILIES = ("SOURCES__", "DESTINATION__", "RUNTIME__", "READING__")


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run each test in an empty folder, with the settings of a fresh clone and short waits."""
    for name in list(os.environ):
        if name in SETTINGS or name.startswith(FAMILIES):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANDBOX__TODAY", TODAY.isoformat())
    monkeypatch.setenv("PIPELINES_DIR", str(tmp_path / "pipelines"))
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
    return tmp_path


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
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance of the test's own, with its history in memory."""
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as temporary:
        yield temporary


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server, started for the tests that need one and stopped after the last."""
    server = start_postgres(tmp_path_factory.mktemp("postgres") / "data")
    # dlt wants a host and a password; the socket's folder in the query is what counts
    socket_folder = server.get_uri().partition("?")[2]
    yield f"postgresql://postgres:unused@localhost/postgres?{socket_folder}"
    server.cleanup()


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty warehouse: once a DuckDB file, once a PostgreSQL dataset of the test's own."""
    if request.param == "postgres":
        monkeypatch.setenv("DESTINATION_TYPE", "postgres")
        monkeypatch.setenv(
            "DESTINATION__POSTGRES__CREDENTIALS", request.getfixturevalue("postgres_url")
        )
        monkeypatch.setenv("DATASET_NAME", f"test_{uuid4().hex}")
    return Warehouse.from_settings()


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """A service account's key, made once as that takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
