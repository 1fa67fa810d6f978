"""The destination of the settings: unknown, without credentials or driver, or a DuckDB file.

A URL of PostgreSQL may have no password: the server asks for none, or libpq finds it elsewhere.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.destinations.impl.postgres.configuration import PostgresCredentials

from analytics_assets.config.settings.compat import PostgresUrl
from analytics_assets.config.settings.shared_store import resolve_shared_store
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import failures_of, load, table_rows
from analytics_assets_tests.support.postgres import PostgresServer

FORMS = "https://dlthub.com/docs/dlt-ecosystem/destinations"


@pytest.fixture
def config_file(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file `config.toml`, as `.dlt/config.toml` of the project says it may be written."""
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
    folder = clean_place / ".dlt"
    folder.mkdir()
    yield folder / "config.toml"
    (folder / "config.toml").unlink()
    Container()[PluggableRunContext].reload_providers()


def test_the_path_of_the_duckdb_file_may_stand_in_config_toml(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text('[destination.duckdb]\ncredentials = "other.duckdb"\n')
    Container()[PluggableRunContext].reload_providers()
    assert Warehouse.from_settings("shop").duckdb_file == Path("other.duckdb").absolute()
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "first.duckdb")
    assert Warehouse.from_settings("shop").duckdb_file == Path("first.duckdb").absolute()


def test_other_credentials_in_config_toml_are_refused_with_the_right_file(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text('[destination.postgres]\ncredentials = "postgresql://u:secret-1@h/d"\n')
    Container()[PluggableRunContext].reload_providers()
    message = opened("postgres", monkeypatch)
    assert message.startswith("The setting `destination.postgres.credentials` is a secret, and")
    assert "secret-1" not in message


def opened(kind: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DESTINATION_TYPE", kind)
    with pytest.raises(WarehouseError) as refused, Warehouse.from_settings("shop").open():
        pass
    return str(refused.value)


def test_an_unknown_destination_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert opened("postgress", monkeypatch).startswith(
        "The setting `destination_type` is 'postgress', which is no destination of dlt; did you "
        "mean `postgres`? Destinations are `postgres`, "
    )


def test_a_destination_without_credentials_names_their_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kind in ("postgres", "snowflake"):
        assert opened(kind, monkeypatch) == (
            f"The warehouse needs the setting `destination.{kind}.credentials`, which is missing "
            "or has not all parts: set the environment variable "
            f"DESTINATION__{kind.upper()}__CREDENTIALS, or write it into .dlt/secrets.toml. Its "
            f"form: {FORMS}/{kind}."
        )


@pytest.mark.parametrize("form", ["secret-1@host", "mysql://loader:secret-1@host/database"])
def test_credentials_of_another_form_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", form)
    assert opened("postgres", monkeypatch) == (
        "The setting `destination.postgres.credentials` cannot be read: it has another form than "
        f"{FORMS}/postgres shows."
    )


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    "form",
    [
        "postgresql+psycopg2://postgres@/{}?host={}",
        "postgresql://postgres@/{}",
        "postgresql:///{}",
    ],
)
def test_a_load_needs_no_password(
    postgres_server: PostgresServer,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    with postgres_server.database() as database:
        url = form.format(database, postgres_server.folder)
        monkeypatch.setenv("DESTINATION_TYPE", "postgres")
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)
        if "?" not in url:
            monkeypatch.setenv("PGHOST", str(postgres_server.folder))
        if "@" not in url:
            monkeypatch.setenv("PGUSER", "postgres")
        warehouse = Warehouse.from_settings("analytics")

        assert failures_of(load(instance, "page_views")) == {}

        assert len(table_rows(warehouse, "page_views")) > 100
        with closing(psycopg2.connect(resolve_shared_store().url)) as connection:
            assert connection.info.dbname == database


def test_dlt_demands_a_password() -> None:
    """If this fails, dlt does so no more, and `PostgresUrl` may go."""
    for kind, is_complete in ((PostgresCredentials, False), (PostgresUrl, True)):
        credentials = kind()
        credentials.parse_native_representation("postgresql:///analytics")
        assert credentials.is_partial() is not is_complete
