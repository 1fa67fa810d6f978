"""Workarounds for dlt: a test fails once dlt corrects the defect or changes a private name."""

import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import dlt
import duckdb
import pytest
from dlt.common.destination import Destination
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.warehouse.compat import (
    DuckDbFile,
    SyncingPipeline,
    new_pipeline,
    pooled_connection,
)
from analytics_assets.warehouse.destinations.supported import CAPABILITIES, DuckDb, Postgres
from analytics_assets.warehouse.duckdb_file import duckdb_credentials
from analytics_assets.warehouse.warehouse import Warehouse


class Recorder(SyncingPipeline):
    """Records both ways in which dlt could be asked to synchronize."""

    calls: list[str]

    def sync_destination(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("public")
        super().sync_destination(*args, **kwargs)

    def syncing(self) -> AbstractContextManager[None]:
        return self._recorded()

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        self.calls.append("begin")
        yield
        self.calls.append("end")


def test_dlt_run_bypasses_the_public_sync_destination(clean_place: Path) -> None:
    pipeline = new_pipeline(
        Recorder,
        pipeline_name="recorder",
        pipelines_dir=str(clean_place),
        destination=dlt.destinations.dummy(completed_prob=1.0),
    )
    pipeline.calls = []
    pipeline.run([{"id": 1}], table_name="orders")
    assert pipeline.calls == ["begin", "end"]
    pipeline.sync_destination()
    assert pipeline.calls == ["begin", "end", "public", "begin", "end"]


def test_dlt_pipeline_takes_a_class_only_by_a_private_argument() -> None:
    parameters = inspect.signature(dlt.pipeline).parameters
    assert [name for name in parameters if "cls" in name or "class" in name] == ["_impl_cls"]


def test_dlt_drop_calls_the_constructor_with_arguments_of_its_own() -> None:
    assert "self.__init__(" in inspect.getsource(Pipeline.drop)


def orders(numbers: list[int], key: str) -> Any:
    """A resource with a state, so that a load without rows stores its schema, too."""

    @dlt.resource(name="orders", primary_key=key, write_disposition="merge")
    def rows() -> Iterator[list[dict[str, int]]]:
        dlt.current.resource_state()["read"] = True
        yield [{"number": number} for number in numbers]

    return rows


def test_dlt_stores_hints_of_columns_that_no_row_has(duckdb_warehouse: Warehouse) -> None:
    def run(folder: str, numbers: list[int], key: str) -> None:
        pipeline = dlt.pipeline(
            "stock", folder, destination=duckdb_warehouse.destination, dataset_name="analytics"
        )
        pipeline.run(orders(numbers, key))

    run("one", [], "id")
    with pytest.raises(PipelineStepFailed, match="did not receive any data"):
        run("two", [1, 2], "number")


def test_a_key_that_no_row_has_does_not_outlive_its_entry(warehouse: Warehouse) -> None:
    for numbers, key in (([], "id"), ([1, 2], "number")):
        with warehouse.loading("shop") as pipeline:
            pipeline.run(orders(numbers, key))
    with warehouse.open() as tables:
        assert tables.row_count("orders") == 2
        assert "id" not in tables.columns("orders")


@pytest.mark.parametrize("name", ["duckdb", "postgres"])
def test_dlt_resolves_settings_to_read_capabilities(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved: list[str] = []
    stock_configuration = Destination.configuration

    def configuration(self: Any, *args: Any, **kwargs: Any) -> Any:
        resolved.append(self.destination_name)
        return stock_configuration(self, *args, **kwargs)

    monkeypatch.setattr(Destination, "configuration", configuration)
    credentials = DuckDbFile("a.duckdb")
    own = DuckDb(credentials, **CAPABILITIES) if name == "duckdb" else Postgres(**CAPABILITIES)
    own.capabilities()
    assert resolved == []
    stock = (
        dlt.destinations.duckdb(credentials) if name == "duckdb" else dlt.destinations.postgres()
    )
    stock.capabilities()
    assert resolved == [name]


@pytest.mark.parametrize("kind", [dlt.destinations.duckdb, dlt.destinations.postgres])
def test_dlt_claims_that_the_destination_has_no_transactions(kind: Any) -> None:
    assert not kind().capabilities().supports_transactions


def test_dlt_imports_sqlalchemy_to_parse_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def make_url(text: str) -> None:
        parsed.append(text)
        raise ValueError(text)

    monkeypatch.setattr("dlt.common.libs.sql_alchemy_compat.make_url", make_url)
    assert DuckDbFile("a.duckdb").database == "a.duckdb"
    assert parsed == []
    assert DuckDbCredentials("a.duckdb").database == "a.duckdb"
    assert parsed == ["a.duckdb"]


def test_dlt_imports_sqlalchemy_to_name_a_file_in_its_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, stock = DuckDbFile("/tmp/a.duckdb"), DuckDbCredentials("/tmp/a.duckdb")
    assert str(own) == str(stock) == "duckdb:////tmp/a.duckdb"
    monkeypatch.setattr("dlt.common.libs.sql_alchemy_compat.URL", None)
    assert str(own) == "duckdb:////tmp/a.duckdb"
    assert str(stock) == ""


@pytest.mark.usefixtures("duckdb_warehouse")
def test_dlt_applies_settings_of_duckdb_in_a_private_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", '{"threads": 3}')
    with pooled_connection(duckdb_credentials()) as connection:
        assert connection.execute("SELECT current_setting('threads')").fetchone() == (3,)


def stock_load(folder: Path, rows: list[Any], disposition: Any) -> None:
    """Load rows with dlt alone, in a folder that remembers nothing."""
    file = str(folder / "stock.duckdb")
    pipeline = dlt.pipeline(
        "stock",
        str(folder / uuid4().hex),
        destination=dlt.destinations.duckdb(file),
        dataset_name="analytics",
    )
    pipeline.run(rows, table_name="orders", primary_key="id", write_disposition=disposition)


@pytest.mark.parametrize(
    "statement", ["DROP TABLE analytics.orders", "ALTER TABLE analytics.orders DROP COLUMN name"]
)
def test_dlt_never_makes_a_dropped_table_or_column_again(clean_place: Path, statement: str) -> None:
    stock_load(clean_place, [{"id": 1, "name": "a"}], "merge")
    with closing(duckdb.connect(str(clean_place / "stock.duckdb"))) as connection:
        connection.execute(statement)
    with pytest.raises(PipelineStepFailed, match=r"orders|name"):
        stock_load(clean_place, [{"id": 1, "name": "a"}], "merge")


def test_dlt_adds_no_column_without_null_to_a_table_with_rows(clean_place: Path) -> None:
    rows = [{"id": 1, "tags": [{"tag": "a"}]}]
    stock_load(clean_place, rows, "append")
    with pytest.raises(PipelineStepFailed, match="_dlt_root_id"):  # which a merge needs
        stock_load(clean_place, rows, "merge")


def test_dlt_keeps_a_stored_strategy_for_ever(clean_place: Path) -> None:
    stock_load(clean_place, [{"id": 1, "name": "a"}], {"disposition": "merge", "strategy": "scd2"})
    stock_load(clean_place, [{"id": 1, "name": "b"}], "merge")
    with closing(duckdb.connect(str(clean_place / "stock.duckdb"))) as connection:
        assert connection.execute("SELECT count(*) FROM analytics.orders").fetchone() == (2,)


@pytest.mark.usefixtures("duckdb_warehouse")
def test_dlt_keeps_a_column_whose_hint_has_changed_and_rounds_its_values() -> None:
    destination = dlt.destinations.duckdb(duckdb_credentials())
    pipeline = dlt.pipeline("shop", destination=destination, dataset_name="analytics")
    for number, kind, value in ((1, "bigint", 5), (2, "double", 5.5)):
        pipeline.run(
            [{"id": number, "n": value}],
            table_name="orders",
            primary_key="id",
            write_disposition="merge",
            columns={"n": {"data_type": kind}},  # type: ignore[typeddict-item]
        )
    with pipeline.sql_client() as client:
        rows = client.execute_sql("SELECT n FROM orders ORDER BY id")
    assert rows is not None
    assert [value for (value,) in rows] == [5, 6]


@pytest.mark.parametrize(("folder", "found"), [("id=7", [(7,)]), ("it's", None)])
def test_dlt_takes_the_path_of_a_file_for_columns_and_for_sql(
    clean_place: Path, folder: str, found: Any
) -> None:
    file = str(clean_place / "stock.duckdb")
    pipeline = dlt.pipeline(
        "stock",
        str(clean_place / folder),
        destination=dlt.destinations.duckdb(file),
        dataset_name="analytics",
    )
    with nullcontext() if found else pytest.raises(PipelineStepFailed, match="unterminated"):
        pipeline.run([{"id": 1}], table_name="orders", loader_file_format="parquet")
    with closing(duckdb.connect(file)) as connection:
        assert (connection.execute("SELECT id FROM analytics.orders").fetchall() or None) == found


def test_duckdb_leaves_the_random_ids_of_rows_as_they_are(duckdb_warehouse: Warehouse) -> None:
    with duckdb_warehouse.loading("shop") as pipeline:
        pipeline.run([{"id": 1, "tags": ["a"]}], table_name="orders")
        with pipeline.sql_client() as client:
            found = client.execute_sql(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'analytics' "
                "AND sql LIKE '%_dlt_id VARCHAR USING COMPRESSION Uncompressed %' ORDER BY 1"
            )
    assert found is not None
    assert [table for [table] in found if "orders" in table] == ["orders", "orders__tags"]
