"""Delta tables as loads, checks and commands read and change them."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from typing import Any

import dagster as dg
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.errors import find_cause
from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.destinations.delta.guarded_client import NestedTableError
from analytics_assets.warehouse.errors import StoredTypeError, WarehouseError
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import check_of, load, metadata_of
from analytics_assets_tests.warehouse.destinations.delta.stored import delta_table, store, stored

VALUES: dict[str, Any] = {
    "id": 1,
    "text": "a 'b' %s",
    "double": 0.1,
    "bool": True,
    "timestamp": datetime(2026, 1, 31, 23, 30, 0, 123456, tzinfo=UTC),
    "bigint": 2**62,
    "binary": b"\x00\xff",
    "json": {"a": [1, None]},
    "decimal": Decimal("0.000000001"),
    "date": date(2026, 1, 31),
    "time": time(1, 30, 0, 5),
}
HINTS: Any = {name: {"data_type": name} for name in VALUES if name != "id"}


def test_values_of_each_type_are_stored_as_they_are_load_after_load(
    delta_warehouse: Warehouse,
) -> None:
    for _ in range(2):
        store(delta_warehouse, [VALUES, {"id": 2}], columns=HINTS)
    as_text = {"json": '{"a":[1,null]}', "time": "01:30:00.000005"}
    [row, nulls] = stored()
    assert {**row, "timestamp": row["timestamp"].astimezone(UTC)} == {**VALUES, **as_text}
    assert set(nulls.values()) == {2, None}
    with delta_warehouse.open() as tables:
        columns = tables.columns("orders")
    assert {name: columns[name]["data_type"] for name in HINTS} == {name: name for name in HINTS}


@pytest.mark.parametrize(
    ("stored_value", "new_value", "hint"),
    [(5, 5.5, "double"), ("a", 1, "bigint"), (1.5, Decimal("1.123456789"), "decimal")],
)
def test_a_changed_type_is_refused_and_leaves_the_table_as_it_was(
    delta_warehouse: Warehouse, stored_value: Any, new_value: Any, hint: Any
) -> None:
    store(delta_warehouse, [{"id": 1, "value": stored_value}])
    columns = {"value": {"data_type": hint}}
    with pytest.raises(PipelineStepFailed) as failed:
        store(delta_warehouse, [{"id": 1, "value": new_value}], columns=columns)
    assert find_cause(failed.value, StoredTypeError)
    assert stored() == [{"id": 1, "value": stored_value}]
    assert delta_table().version() == 0


def test_lists_that_would_be_a_table_of_their_own_are_refused(delta_warehouse: Warehouse) -> None:
    row = {"id": 1, "tags": [{"tag": "a"}]}
    with pytest.raises(PipelineStepFailed) as failed:
        store(delta_warehouse, [row])
    refusal = str(find_cause(failed.value, NestedTableError))
    assert '"columns": {"tags": {"data_type": "json"}}' in refusal
    assert not (Path("lake") / "analytics" / "orders" / "_delta_log").exists()

    store(delta_warehouse, [row], columns={"tags": {"data_type": "json"}})
    assert stored() == [{"id": 1, "tags": '[{"tag":"a"}]'}]


def test_another_table_format_is_refused(delta_warehouse: Warehouse) -> None:
    with pytest.raises(PipelineStepFailed) as failed:
        store(delta_warehouse, [{"id": 1}], table_format="iceberg")
    assert "its `table_format` is 'iceberg'" in str(find_cause(failed.value, WarehouseError))


def test_rows_of_other_loads_are_counted_and_deleted(delta_warehouse: Warehouse) -> None:
    first = store(delta_warehouse, [{"id": number} for number in range(3)])
    last = store(delta_warehouse, [{"id": 1}])
    with delta_warehouse.open() as tables:
        assert tables.rows_of_loads("orders", [first]) == 2
        before = delta_table().version()
        tables.delete_rows_of_other_loads("orders", [last])
        assert tables.row_count("orders") == 1
    assert (stored(), delta_table().version()) == ([{"id": 1}], before + 1)


def test_a_pipeline_has_no_state_before_its_first_load(delta_warehouse: Warehouse) -> None:
    with delta_warehouse.open() as tables:
        assert tables.state("shop_orders") == {}


def test_a_path_may_have_quotes_and_folders_that_look_like_columns(
    delta_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lake = tmp_path / "id=7" / "it's 100% ü"
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(lake))
    for name in "ab":
        store(delta_warehouse, [{"id": 1, "name": name}])
    assert delta_warehouse.query("SELECT id, name FROM orders") == [(1, "b")]


def test_a_table_is_made_of_others_by_a_query(delta_warehouse: Warehouse) -> None:
    store(delta_warehouse, [{"id": 1}, {"id": 2}])
    for select in ("SELECT 1 AS id", "SELECT id, 'new' AS note FROM orders"):
        delta_warehouse.replace_table("mart", select)
    assert stored("mart") == [{"id": 1, "note": "new"}, {"id": 2, "note": "new"}]
    with pytest.raises(WarehouseError, match="holds rows that were loaded from an API"):
        delta_warehouse.replace_table("orders", "SELECT 1 AS id")
    with pytest.raises(WarehouseError, match="reads one that is not there"):
        delta_warehouse.replace_table("mart", "SELECT * FROM absent")


def test_a_query_reads_the_tables_of_other_datasets(delta_warehouse: Warehouse) -> None:
    store(delta_warehouse, [{"id": 1}, {"id": 2}])
    mart = replace(delta_warehouse, dataset="mart")
    assert mart.replace_table("counts", 'SELECT count(*) AS "rows" FROM "analytics"."orders"') == 1
    assert delta_warehouse.query("SELECT c.rows FROM mart.counts AS c, orders") == [(2,), (2,)]


def test_loaded_partitions_replace_those_of_their_keys(delta_warehouse: Warehouse) -> None:
    moment, resource = datetime(2026, 1, 31, tzinfo=UTC), API.resources["page_views"]
    first = [LoadedPartition(f"2026-01-0{day}", "UTC", moment, "1", 5) for day in (1, 2)]
    again = first[0]._replace(rows=7, load_id=None)
    for notes in (first, [again]):
        with delta_warehouse.open() as tables:
            tables.loaded_partitions(resource).store(notes)
    with delta_warehouse.open() as tables:
        assert tables.loaded_partitions(resource).all() == [again, first[1]]
        tables.loaded_partitions(resource).delete()
        assert tables.loaded_partitions(resource).is_empty()


def test_records_of_loads_leave_after_history_days(
    delta_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = store(delta_warehouse, [{"id": 1}])
    [record] = Path("lake", "analytics", "_dlt_loads").iterdir()
    record.rename(str(record).replace(old, "1000000000.5"))
    last = store(delta_warehouse, [{"id": 2}])
    [left] = Path("lake", "analytics", "_dlt_loads").iterdir()
    assert last in left.name
    with delta_warehouse.open() as tables:
        assert tables.load_ids == {last}


def test_dagster_shows_rows_checks_and_metadata_as_of_other_warehouses(
    delta_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for _ in range(2):
        result = load(instance, "website_overview")
        assert result.success
        metadata = metadata_of(result, "website_overview")
        assert metadata["dagster/row_count"] == 90
        assert metadata["newest data"] == "2025-07-31"
        assert check_of(result, "complete_read").passed
        assert check_of(result, "primary_key").passed
    assert delta_warehouse.query("SELECT count(*) FROM website_overview") == [(90,)]


def test_a_table_whose_folder_was_removed_is_missed_and_made_again(
    delta_warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    store(delta_warehouse, [{"id": 1}])
    rmtree(Path("lake", "analytics", "orders"))
    store(delta_warehouse, [{"id": 2}])
    assert "The warehouse no longer has the table `orders`: created again." in caplog.text
    assert stored() == [{"id": 2}]
