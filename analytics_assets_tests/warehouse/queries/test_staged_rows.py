"""Merges from the files of a load: the tables are those of dlt's own merge of copied rows."""

import random
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
from dlt.destinations.job_impl import FinalizedLoadJobWithFollowupJobs

from analytics_assets.extract.entry import DEDUPLICATED
from analytics_assets.warehouse import compat
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.warehouse.queries.stock_loads import content, load, stock_pipeline

Row = dict[str, Any]
Loads = Sequence[Sequence[Row]]
SORTED: Any = {"version": {"dedup_sort": "desc"}}
DELETED: Any = {"gone": {"hard_delete": True}}
DISPOSITIONS: list[tuple[Any, Any]] = [
    ("merge", None),
    ("merge", SORTED | DELETED),
    ("merge", {"day": {"merge_key": True}}),
    (DEDUPLICATED, DELETED),
    ({"disposition": "merge", "strategy": "upsert"}, None),
    ({"disposition": "merge", "strategy": "scd2"}, None),
    ("replace", None),
]


def row(draw: random.Random, number: int, version: int = 0) -> Row:
    """A row by its key and version, with nulls, and with children of children."""
    draw.seed(f"{number} {version}")
    some: Row = {
        "name": draw.choice(["", "a'b", "é", "null"]),
        "amount": draw.choice([0.5, -1e300]),
        "price": Decimal(draw.randrange(10**12)) / 100,
        "day": date(2026, 1, draw.randrange(1, 28)),
        "at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=draw.randrange(10**15)),
        "is_new": draw.choice([True, False]),
        "part": {"code": draw.randrange(9)},
        "raw": draw.randbytes(3),
        "tags": [
            {"tag": draw.choice("abc"), "places": [{"place": place}]}
            for place in range(draw.randrange(3))
        ],
    }
    chosen = {name: value for name, value in some.items() if draw.random() < 0.8}
    day = {"day": some["day"]}  # a merge key is in each row
    return {"id": number, "version": version, "gone": draw.random() < 0.2} | day | chosen


def loads_of(seed: int, *, repeated: bool) -> Loads:
    """Two loads of rows, whose keys partly recur, in a load as well if `repeated`."""
    draw = random.Random(seed)
    keys = [[draw.randrange(20) for _ in range(12)] for _ in range(2)]
    return [
        [row(random.Random(), key, version + load * 20) for version, key in enumerate(chosen)]
        for load, chosen in enumerate(keys if repeated else [sorted(set(each)) for each in keys])
    ]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements about orders that the warehouses execute."""
    executed: list[str] = []
    for client in (DuckDbSqlClient, Psycopg2SqlClient):
        execute_query = client.execute_query

        def record(
            self: Any, query: Any, *args: Any, _execute: Any = execute_query, **kwargs: Any
        ) -> Any:
            executed.extend(part for part in str(query).split(";\n") if "orders" in part)
            return _execute(self, query, *args, **kwargs)

        monkeypatch.setattr(client, "execute_query", record)
    return executed


@pytest.mark.parametrize(("disposition", "columns"), DISPOSITIONS)
def test_the_tables_are_those_of_dlt(
    duckdb_warehouse: Warehouse,
    clean_place: Path,
    disposition: Any,
    columns: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATA_WRITER__FILE_MAX_ITEMS", "7")  # several files a load
    monkeypatch.setenv("DESTINATION__DUCKDB__REPLACE_STRATEGY", "insert-from-staging")
    loads = loads_of(1, repeated=columns == SORTED | DELETED)
    stock_file = str(clean_place / "stock.duckdb")
    stock = stock_pipeline(stock_file)
    for rows in loads:
        load(stock, rows, disposition, columns)
        with duckdb_warehouse.loading("shop", table="orders") as pipeline:
            load(pipeline, rows, disposition, columns)
        assert content(str(duckdb_warehouse.duckdb_file)) == content(stock_file)


def test_no_row_is_copied_before_it_is_merged(
    duckdb_warehouse: Warehouse, statements: list[str]
) -> None:
    with duckdb_warehouse.loading("shop", table="orders") as pipeline:
        load(pipeline, [{"id": 1, "tags": [{"tag": "a"}]}], "merge")
    inserts = [each for each in statements if each.startswith("INSERT")]
    assert sorted(each.split("(")[0] for each in inserts) == [
        'INSERT INTO "analytics"."orders"',
        'INSERT INTO "analytics"."orders__tags"',
    ]


def test_a_merge_that_failed_is_repeated_from_the_same_files(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, failures, seen = DuckDbSqlClient.commit_transaction, ["disk full"], list[Any]()

    def fail_once(client: DuckDbSqlClient) -> None:
        if client.execute_sql("SELECT 1 FROM duckdb_tables() WHERE table_name = 'orders'"):
            seen.append(client.execute_sql("SELECT id FROM analytics.orders ORDER BY id"))
            if len(seen[-1]) == 2 and failures:
                raise duckdb.IOException(failures.pop())
        commit(client)

    with duckdb_warehouse.loading("shop", table="orders") as pipeline:
        load(pipeline, [{"id": 0}], "merge")
        monkeypatch.setattr(DuckDbSqlClient, "commit_transaction", fail_once)
        load(pipeline, [{"id": 0}, {"id": 1}], "merge")
    assert not failures
    assert seen[-2:] == [[(0,), (1,)]] * 2
    reader = duckdb_warehouse.pipeline("test_reader")
    assert table_values(reader, "orders") == [{"id": 0}, {"id": 1}]


@pytest.mark.parametrize(("key", "repeated"), [("id", False), ("id", True), (["id", "of"], False)])
def test_rows_are_numbered_only_if_a_key_is_repeated(
    warehouse: Warehouse, statements: list[str], key: Any, *, repeated: bool
) -> None:
    rows = [
        {"id": 1, "of": 1, "version": 1, "tags": [1, 2]},
        {"id": 2 if key == "id" and not repeated else 1, "of": 2, "version": 2, "tags": [3]},
    ]
    with warehouse.loading("shop", table="orders") as pipeline:
        load(pipeline, rows, "merge", SORTED, key)
    assert len([each for each in statements if "ROW_NUMBER" in each]) == repeated
    reader = warehouse.pipeline("test_reader")
    found = [row["version"] for row in table_values(reader, "orders", "version")]
    assert found == ([2] if repeated else [1, 2])
    tags = [row["value"] for row in table_values(reader, "orders__tags", "value")]
    assert tags == ([3] if repeated else [1, 2, 3])


@pytest.mark.parametrize("kind", [compat.ReadByMerge, FinalizedLoadJobWithFollowupJobs])
def test_dlt_does_not_notice_the_end_of_a_job_without_work(
    duckdb_warehouse: Warehouse, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed: list[bool] = []

    class Recorder(threading.BoundedSemaphore):
        """Ends of jobs; waits longer for one than for none."""

        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            if timeout is None:
                return super().acquire(blocking)
            is_noticed = super().acquire(timeout=60 if kind is compat.ReadByMerge else 0.1)
            noticed.append(is_noticed)
            return is_noticed

    monkeypatch.setattr("dlt.load.load.BoundedSemaphore", Recorder)
    monkeypatch.setattr(compat, "ReadByMerge", kind)
    with duckdb_warehouse.loading("shop", table="orders") as pipeline:
        load(pipeline, [{"id": 1}], "merge")
    assert all(noticed) == (kind is compat.ReadByMerge)
