"""The history of loads: what a later load needs stays however old, the rest goes after a while."""

import tomllib
from typing import Any

import dlt
import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT

OLD = "2020-01-01T00:00:00+00:00"


@dlt.resource(table_name="counts", write_disposition="merge", primary_key="id")
def counts(numbers: list[int]) -> Any:
    """Rows of which dlt keeps the highest in its state."""
    dlt.current.resource_state()["highest"] = max(numbers)
    yield [{"id": number} for number in numbers]


def load(warehouse: Warehouse, *numbers: int) -> Any:
    """Load some numbers; return what the state was before."""
    with warehouse.loading("counter") as pipeline:
        pipeline.sync_destination()
        before = pipeline.state.get("sources", {})
        pipeline.run(counts(list(numbers)))
        return before


def count(warehouse: Warehouse, table: str) -> int:
    with warehouse.open() as tables:
        return tables.row_count(table) if tables.columns(table) else 0


def age(warehouse: Warehouse, table: str, column: str) -> None:
    """Make all rows of a table look old."""
    with warehouse.pipeline("ager").sql_client() as client:
        name = client.make_qualified_table_name(table)
        client.execute_sql(f"UPDATE {name} SET {column} = %s", OLD)


def age_all(warehouse: Warehouse) -> None:
    age(warehouse, "_dlt_loads", "inserted_at")
    age(warehouse, "_dlt_pipeline_state", "created_at")
    age(warehouse, "_dlt_version", "inserted_at")


def test_what_a_load_writes_down_is_kept_for_a_while(warehouse: Warehouse) -> None:
    for number in (1, 2, 3):
        load(warehouse, number)
    assert count(warehouse, "_dlt_loads") == count(warehouse, "_dlt_pipeline_state") == 3


def test_old_loads_and_states_go_with_the_next_load_and_the_newest_state_is_restored(
    warehouse: Warehouse,
) -> None:
    for number in (1, 2, 3):
        load(warehouse, number)
    age_all(warehouse)
    before = load(warehouse, 4)
    assert "3" in str(before)
    assert count(warehouse, "_dlt_loads") == count(warehouse, "_dlt_pipeline_state") == 1
    assert count(warehouse, "_dlt_version") == 1
    assert "4" in str(load(warehouse, 5))
    assert count(warehouse, "counts") == 5


def test_a_state_that_no_load_has_changed_for_long_stays(warehouse: Warehouse) -> None:
    for _ in range(3):
        load(warehouse, 7)
        age_all(warehouse)
    assert "7" in str(load(warehouse, 7))
    assert count(warehouse, "_dlt_pipeline_state") == 1
    assert count(warehouse, "_dlt_loads") == 2  # the one that brought the state, and the newest


def test_the_history_of_another_pipeline_stays(warehouse: Warehouse) -> None:
    with warehouse.loading("other") as pipeline:
        for number in (1, 2):
            pipeline.run([{"id": number}], table_name="others")
    load(warehouse, 1)
    age_all(warehouse)
    load(warehouse, 2)
    assert count(warehouse, "_dlt_loads") == 3


def test_old_rejected_rows_go(warehouse: Warehouse) -> None:
    rejected = [{"resource": "counts", "rejected_at": OLD}, {"resource": "counts"}]
    rejected[1]["rejected_at"] = "2999-01-01T00:00:00+00:00"
    with warehouse.loading("counter") as pipeline:
        pipeline.run(rejected, table_name="rejected_rows")
    assert count(warehouse, "rejected_rows") == 1


def test_zero_days_are_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HISTORY_DAYS", "0")
    warehouse = Warehouse.from_settings()
    for number in (1, 2):
        load(warehouse, number)
        age_all(warehouse)
    load(warehouse, 3)
    assert count(warehouse, "_dlt_loads") == 3


def test_as_shipped_no_copy_of_the_rows_stays_in_the_dataset_for_staging(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tomllib.loads((ROOT / ".dlt" / "config.toml").read_text())["load"]
    for name, value in shipped.items():
        monkeypatch.setenv(f"LOAD__{name.upper()}", str(value))
    load(warehouse, 1, 2)
    with warehouse.pipeline("reader").sql_client() as client:
        client.dataset_name = f"{warehouse.dataset}_staging"
        rows = client.execute_sql(f"SELECT * FROM {client.make_qualified_table_name('counts')}")
    assert not rows
    assert count(warehouse, "counts") == 2


def test_a_table_that_is_only_appended_to_has_no_copy_and_its_history_goes_as_well(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LOAD__TRUNCATE_STAGING_DATASET", "true")
    for number in (1, 2):
        with warehouse.loading("appender") as pipeline:
            pipeline.run([{"id": number}], table_name="appended")
        age_all(warehouse)
    assert count(warehouse, "_dlt_loads") == 2  # the one that brought the state, and the newest
    assert caplog.messages == []
