"""Delta tables over many commits, those of others among them, and their files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from analytics_assets.config.settings.providers.run_context import MAX_STATE_FILES
from analytics_assets.warehouse.destinations.delta import table as delta
from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.queries.stored_state import (
    state_of_resource,
    store_state,
    stored_state,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.warehouse.destinations.delta.stored import delta_table, store, stored

COLUMNS: Any = {name: {"name": name, "data_type": "text"} for name in ("_dlt_id", "name")}


def raising(error: Exception) -> Callable[..., None]:
    def fail(*args: Any) -> None:
        raise error

    return fail


def put(warehouse: Warehouse, table: str, number: int) -> None:
    with warehouse.pipeline("shop").destination_client() as client:
        assert isinstance(client, DeltaClient)
        client.put(table, COLUMNS, [{"_dlt_id": str(number), "name": "a"}])


@pytest.mark.parametrize("folder", ["plain", "it's 100% ü"])
def test_the_folders_of_partitions_have_values_with_any_characters(
    tmp_path: Path, folder: str
) -> None:
    values = [
        "United States",
        "a/b",
        "100%",
        "%41",
        "ü",
        "a=b",
        "it's",
        "a\\b",
        "10:30?",
        "#",
        None,
    ]
    lake = (tmp_path / folder).as_uri()
    write_deltalake(lake, pa.table({"id": range(len(values)), "p": values}), partition_by=["p"])
    query = f"SELECT p FROM ({delta.rows_of(DeltaTable(lake))}) ORDER BY id"
    assert [value for (value,) in duckdb.execute(query).fetchall()] == values


def test_a_table_that_another_load_makes_in_the_same_moment_has_the_rows_of_both(
    delta_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, looked = DeltaClient.delta_table, list[str]()

    def found(client: DeltaClient, name: str) -> Any:
        looked.append(name)
        return find(client, name) if len(looked) > 1 else None

    put(delta_warehouse, "notes", 1)
    monkeypatch.setattr(DeltaClient, "delta_table", found)
    put(delta_warehouse, "notes", 2)
    assert len(delta_table("notes").to_pyarrow_table()) == 2


def test_small_files_are_put_together_whatever_history_days_says(
    delta_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta, "MOST_FILES", 1)
    monkeypatch.setenv("HISTORY_DAYS", "0")
    warehouse = Warehouse.from_settings("analytics")
    for number in range(3):
        put(warehouse, "loaded_partitions", number)
    for number in range(2):
        store(warehouse, [{"id": number}])
    assert len(delta_table().file_uris()) == 1
    assert len(delta_table("loaded_partitions").file_uris()) == 1


@pytest.mark.parametrize(
    ("error", "warning"),
    [(CommitFailedError("of another"), ""), (DeltaError("no answer"), "orders: no answer")],
)
def test_a_table_that_cannot_be_tidied_is_loaded(
    delta_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    warning: str,
) -> None:
    monkeypatch.setattr(f"{DeltaClient.__module__}.tidy", raising(error))
    store(delta_warehouse, [{"id": 1}])
    assert stored() == [{"id": 1}]
    assert ("could not be trimmed" in caplog.text, warning in caplog.text) == (bool(warning), True)


def test_a_mart_has_texts_in_place_of_types_that_delta_does_not_have(
    delta_warehouse: Warehouse,
) -> None:
    values = "TIME '01:02:03' AS a, INTERVAL 1 DAY AS b, NULL AS c, TIMETZ '01:02:00+01' AS d"
    delta_warehouse.replace_table("mart", f"SELECT {values}, 1 AS id")
    expected = {"a": "01:02:03", "b": "1 day", "c": None, "d": "01:02:00+01", "id": 1}
    assert stored("mart") == [expected]
    assert delta_warehouse.query("SELECT * FROM mart") == [tuple(expected.values())]


@pytest.mark.parametrize("is_partitioned", [True, False])
def test_a_table_keeps_the_folders_of_its_first_load(
    delta_warehouse: Warehouse, is_partitioned: bool
) -> None:
    for number, partition in enumerate([is_partitioned, not is_partitioned]):
        columns: Any = {"day": {"data_type": "text", "partition": partition}}
        store(delta_warehouse, [{"id": number, "day": "a b"}], "replace", columns=columns)
    assert stored() == [{"id": 1, "day": "a b"}]
    assert delta_table().metadata().partition_columns == (["day"] if is_partitioned else [])


def test_the_newest_files_with_the_state_of_a_pipeline_are_kept(
    delta_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with delta_warehouse.pipeline("shop").destination_client() as client:
        assert isinstance(client, DeltaClient)
        assert client.config.max_state_files == MAX_STATE_FILES
    monkeypatch.setenv("DESTINATION__FILESYSTEM__MAX_STATE_FILES", "1")
    for cursor in (1, 2):
        pipeline = delta_warehouse.pipeline("shop")
        store_state(pipeline, "orders", {"cursor": cursor})
    with pipeline.destination_client() as client:
        assert isinstance(client, DeltaClient)
        folder = Path(client.get_table_dir("_dlt_pipeline_state"))
        assert len([*folder.glob("shop__*")]) == 1
        state = state_of_resource(stored_state(client, "shop"), "shop", "orders")
    assert state == {"cursor": 2}
