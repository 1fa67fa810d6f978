"""URLs of PostgreSQL without a password: the server asks for none, or libpq finds it elsewhere."""

from contextlib import closing

import dagster as dg
import psycopg2
import pytest
from dlt.destinations.impl.postgres.configuration import PostgresCredentials

from analytics_assets.config.settings.compat import PostgresUrl
from analytics_assets.config.settings.shared_store import resolve_shared_store
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import failures_of, load, table_rows
from analytics_assets_tests.support.postgres import PostgresServer


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    "form", ["postgresql://postgres@/{}?host={}", "postgresql://postgres@/{}", "postgresql:///{}"]
)
def test_a_load_needs_no_password(
    postgres_server: PostgresServer,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    with postgres_server.empty_database() as database:
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
