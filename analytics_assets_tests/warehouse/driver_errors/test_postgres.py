"""Refusals of PostgreSQL become sentences with the remedy, without a password."""

import socketserver
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from analytics_assets.warehouse.driver_errors import warehouse_error
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.postgres import PostgresServer
from analytics_assets_tests.support.tables import opened_with

URL = "DESTINATION__POSTGRES__CREDENTIALS"
SECRET = "secret-word"  # a password
ONCE = ("LOAD__RAISE_ON_MAX_RETRIES", "1")
END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(autouse=True)
def one_attempt(postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database, and loads that dlt does not attempt again."""
    monkeypatch.setenv(*ONCE)


def load(rows: Any) -> None:
    with Warehouse.from_settings("shop").loading("orders") as pipeline:
        pipeline.run(rows, table_name="orders", write_disposition="merge", primary_key="id")


def query() -> None:
    with Warehouse.from_settings("shop").open() as tables:
        tables.columns("orders")


def sleep() -> None:
    with (
        Warehouse.from_settings("shop").loading("orders") as pipeline,
        pipeline.sql_client() as client,
    ):
        client.execute_sql("SELECT pg_sleep(60)")


def one_row() -> None:
    load([{"id": 1}])


def sql(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


def refusal(use: Callable[[], None]) -> str:
    with pytest.raises(WarehouseError) as refused:
        use()
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("option", "use", "event", "remedy"),
    [
        ("statement_timeout=50ms", sleep, "ended a statement after its", "SET statement_timeout"),
        ("default_transaction_read_only=on", one_row, "takes no changes", "primary server"),
    ],
)
def test_a_limit_of_the_session_is_named(
    option: str,
    use: Callable[[], None],
    event: str,
    remedy: str,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(URL, f"{postgres_url}&options=-c{option.replace('=', '%3D')}")

    text = refusal(use)
    assert text.startswith("The warehouse")
    assert event in text
    assert remedy in text


def test_a_lock_of_another_session_is_named(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, f"{postgres_url}&options=-clock_timeout%3D50ms")

    def count() -> None:
        with Warehouse.from_settings("shop").open() as tables:
            tables.row_count("orders")

    with opened_with(Warehouse.from_settings("shop"), orders=("id bigint", "")) as tables:
        table = Warehouse.from_settings("shop").qualified("orders")
        assert tables.row_count("orders") == 0
    with closing(psycopg2.connect(postgres_url)) as other:
        other.cursor().execute(f"LOCK TABLE {table}")
        text = refusal(count)
    assert text.startswith("Another session has locked what the load needs in the warehouse: ")
    assert "`lock_timeout`" in text


@pytest.mark.parametrize(
    ("role", "event", "remedy"),
    [
        ("LOGIN CONNECTION LIMIT 0", "has no connection left", "`max_connections`"),
        ("NOLOGIN", "refuses the sign-in", "Check user, password"),
        (None, "refuses the sign-in", "Check user, password"),
        ("LOGIN", "may not do this", "CREATE on the database"),
    ],
)
def test_a_user_who_may_not_is_named_without_the_password(
    role: str | None, event: str, remedy: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(
        postgres_url, "DROP ROLE IF EXISTS someone", *([f"CREATE ROLE someone {role}"] * bool(role))
    )
    monkeypatch.setenv(URL, postgres_url.replace("postgres:unused", f"someone:{SECRET}"))
    text = refusal(one_row)
    assert event in text
    assert remedy in text


def test_a_wrong_password_is_named(
    postgres_url: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = postgres_server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all secured scram-sha-256\n{before}")
    create = "CREATE ROLE secured LOGIN PASSWORD 'right'"
    sql(postgres_url, "DROP ROLE IF EXISTS secured", create, "SELECT pg_reload_conf()")
    monkeypatch.setenv(URL, postgres_url.replace("postgres:unused", f"secured:{SECRET}"))
    try:
        text = refusal(one_row)
    finally:
        rules.write_text(before)
        sql(postgres_url, "SELECT pg_reload_conf()")

    assert text.startswith("The warehouse refuses the sign-in: ")
    assert 'password authentication failed for user "secured"' in text


def test_an_unknown_database_is_named(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, postgres_server.url("nowhere").replace("unused", SECRET))
    for use in (query, one_row):
        text = refusal(use)
        assert text.startswith("The warehouse has no such database: ")
        assert 'database "nowhere" does not exist' in text


def test_a_connection_that_is_lost_is_named(postgres_url: str) -> None:
    def query_after_the_end() -> None:
        with Warehouse.from_settings("shop").open() as tables:
            sql(postgres_url, END_SESSIONS)
            tables.columns("orders")

    assert refusal(query_after_the_end).startswith("The connection to the warehouse was lost: ")


@pytest.mark.parametrize(
    ("said", "event", "remedy"),
    [
        ("unsupported startup parameter: options", "A pooler", "`ignore_startup_parameters ="),
        ("no more connections allowed (max_client_conn)", "no connection left", "fewer runs"),
    ],
)
def test_a_pooler_that_refuses_is_named(
    said: str, event: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pooler_that_refuses(said) as port:
        monkeypatch.setenv(URL, f"postgresql://postgres:{SECRET}@127.0.0.1:{port}/shop")
        for use in (query, one_row):
            text = refusal(use)
            assert f"{said}. " in text
            assert event in text
            assert remedy in text


@contextmanager
def pooler_that_refuses(said: str) -> Iterator[int]:
    """Refuse each sign-in as PgBouncer does, and give the port."""
    fields = f"SFATAL\0C08P01\0M{said}\0\0".encode()
    refusal = b"E" + struct.pack("!i", len(fields) + 4) + fields

    class SignIn(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while (length := struct.unpack("!i", self.rfile.read(4))[0]) == 8:
                self.rfile.read(4)
                self.wfile.write(b"N")  # no encryption
            self.rfile.read(length - 4)
            self.wfile.write(refusal)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SignIn) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["ctid", "xmin", "tableoid"])
def test_a_field_with_the_name_of_a_system_column_is_named(name: str) -> None:
    text = refusal(lambda: load([{"id": 1, name: 7}]))

    assert text.startswith("A field has the name of a column that PostgreSQL keeps for itself: ")
    assert f'column name "{name}"' in text
    assert '"rename": {' in text


def test_more_columns_than_a_table_can_have_are_named() -> None:
    text = refusal(lambda: load([{"id": 1, **{f"c{number}": 1 for number in range(1600)}}]))

    assert text.startswith("The rows of the resource have more columns than the warehouse can")
    assert "tables can have at most 1600 columns" in text


def test_names_of_more_than_63_bytes_are_shortened_and_stay_apart() -> None:
    names = ["a" * 70 + "1", "a" * 70 + "2", "é" * 40]
    row = {"id": 1, **{name: place for place, name in enumerate(names)}}

    load([row])
    load([row])

    with Warehouse.from_settings("shop").open() as tables:
        columns = [name for name in tables.columns("orders") if not name.startswith("_dlt")]
        assert len(columns) == 4
        assert max(len(name.encode()) for name in columns) <= 63
        assert tables.row_count("orders") == 1


def test_a_code_counts_where_the_text_is_in_another_language(postgres_url: str) -> None:
    with closing(psycopg2.connect(postgres_url)) as connection, pytest.raises(Exception) as raw:  # noqa: PT011
        connection.cursor().execute(
            "DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'voll'; END $$"
        )

    assert str(warehouse_error(raw.value)).startswith("The disk is full: voll. ")


def test_values_of_a_row_are_left_out(postgres_url: str) -> None:
    with closing(psycopg2.connect(postgres_url)) as connection, pytest.raises(Exception) as raw:  # noqa: PT011
        connection.cursor().execute("SELECT 'my-value'::integer")

    text = str(warehouse_error(raw.value))
    assert text == "The warehouse failed: invalid input syntax for type integer: (a value)."


def test_a_key_that_an_index_cannot_take_is_named(postgres_url: str) -> None:
    load([{"id": "short"}])
    sql(postgres_url, "CREATE INDEX ON analytics.orders (id)")
    random = "".join(f"{number * 2654435761 % 2**64:016x}" for number in range(1000))
    text = refusal(lambda: load([{"id": random}]))
    assert text.startswith("A key is longer than an index of PostgreSQL takes: ")
    assert 'Set `"indexes": False`' in text
    assert random[:100] not in text
