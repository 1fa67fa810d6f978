"""Partitions that the warehouse has, in a Dagster instance without a history."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.assets import load as load_of_asset
from analytics_assets.orchestration.automation.housekeeping import build_housekeeping_sensor
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import partitioned
from analytics_assets.orchestration.partitions.due import due_runs
from analytics_assets.orchestration.partitions.takeover import Takeovers, take_over
from analytics_assets.orchestration.runs.materializations import last_loads
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.loading import change, check_of, history_in
from analytics_assets_tests.support.partitioned import api_by_day, days_of, load_days

RESOURCE = "page_views"
API = api_by_day(RESOURCE, longest_window=30)
VIEWS = API.resources[RESOURCE]
DAYS = days_of(API)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Another Dagster instance, with its history in SQLite files."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    with history_in(folder) as instance:
        yield instance


def taken_over(instance: dg.DagsterInstance, warehouse: Warehouse, api: Api = API) -> list[str]:
    with warehouse.open() as tables:
        found = take_over(instance, {api.name: tables}, list(api.resources.values()), NOW)
        return [str(each) for each in found]


def due(instance: dg.DagsterInstance, warehouse: Warehouse, api: Api = API) -> list[str]:
    with warehouse.open() as tables:
        runs = due_runs(instance, {api.name: tables}, list(api.resources.values()), NOW)
    return [key for run in runs for key in run.partitions]


def materialized(instance: dg.DagsterInstance) -> list[str]:
    return sorted(instance.get_materialized_partitions(asset_key(VIEWS)))


@pytest.mark.usefixtures("connected")
def test_a_new_instance_knows_what_the_warehouse_has(
    warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:20]).success
    assert due(fresh, warehouse) == DAYS
    assert taken_over(fresh, warehouse) == [
        f"Found 20 loaded partitions of analytics/page_views in the warehouse: {DAYS[0]} to "
        f"{DAYS[19]}."
    ]
    assert materialized(fresh) == DAYS[:20]
    assert due(fresh, warehouse) == DAYS[20:]
    assert taken_over(fresh, warehouse) == []
    before, after = (last_loads(each, asset_key(VIEWS), DAYS) for each in (instance, fresh))
    for key, load in after.items():
        assert load.began == before[key].began
        assert load.metadata.items() <= before[key].metadata.items()
    newest = fresh.get_latest_materialization_event(asset_key(VIEWS))
    assert newest
    assert newest.timestamp == pytest.approx(after[DAYS[19]].began.timestamp(), abs=1)
    result = load_days(fresh, API, *DAYS[20:])
    assert result.success
    failed = {each.check_name for each in result.get_asset_check_evaluations() if not each.passed}
    assert failed == {"newest_data", "newest_partition", "missing_partitions"}  # of a year ago
    assert due(fresh, warehouse) == DAYS[-4:]


@pytest.mark.usefixtures("connected")
def test_rows_that_are_lost_since_are_loaded_again(
    warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API).success
    one = f"SELECT min(id) FROM {{table}} WHERE date = DATE '{DAYS[3]}'"
    change(warehouse, RESOURCE, f"DELETE FROM {{table}} WHERE id IN ({one})")
    assert taken_over(fresh, warehouse)
    assert due(fresh, warehouse) == [DAYS[3], *DAYS[-4:]]
    result = load_days(fresh, API, DAYS[-1])
    lost = check_of(result, "lost_partitions")
    assert not lost.passed
    assert DAYS[3] in str(lost.description)


@pytest.mark.usefixtures("connected")
def test_rows_without_a_complete_load_are_no_loaded_partition(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    """The note of one is gone, as if its load had died after the merge; others have no rows."""
    assert load_days(instance, API, *DAYS[:5]).success
    noted = "DELETE FROM {table} WHERE partition_key = '" + DAYS[2] + "'"
    change(duckdb_warehouse, "loaded_partitions", noted)
    change(duckdb_warehouse, RESOURCE, f"DELETE FROM {{table}} WHERE date > DATE '{DAYS[3]}'")
    assert taken_over(fresh, duckdb_warehouse)
    assert materialized(fresh) == [DAYS[0], DAYS[1], DAYS[3], DAYS[4]]
    assert due(fresh, duckdb_warehouse) == [DAYS[2], *DAYS[4:]]


@pytest.mark.usefixtures("connected")
def test_a_table_that_was_dropped_is_loaded_again(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:5]).success
    change(duckdb_warehouse, RESOURCE, "DROP TABLE {table}")
    assert load_days(instance, API, DAYS[4]).success
    taken_over(fresh, duckdb_warehouse)
    assert due(fresh, duckdb_warehouse) == [*DAYS[:4], *DAYS[5:]]


@pytest.mark.usefixtures("connected")
def test_values_of_a_dropped_column_are_loaded_again(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:5]).success
    change(duckdb_warehouse, RESOURCE, "ALTER TABLE {table} DROP COLUMN page")
    assert load_days(instance, API, DAYS[4]).success
    taken_over(fresh, duckdb_warehouse)
    assert due(fresh, duckdb_warehouse) == [*DAYS[:4], *DAYS[5:]]


@pytest.mark.usefixtures("connected")
def test_values_of_a_column_are_loaded_again_though_a_new_instance_found_it_dropped(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    """It knows of no earlier load, and takes over after its first one."""
    assert load_days(instance, API, *DAYS[:5]).success
    change(duckdb_warehouse, RESOURCE, "ALTER TABLE {table} DROP COLUMN page")
    assert load_days(fresh, API, DAYS[4]).success
    taken_over(fresh, duckdb_warehouse)
    assert due(fresh, duckdb_warehouse) == [*DAYS[:4], *DAYS[5:]]


@pytest.mark.usefixtures("connected")
def test_values_of_a_column_are_loaded_again_though_a_load_fails_after_it_is_made_again(
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    fresh: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_days(instance, API, *DAYS[:5]).success
    change(duckdb_warehouse, RESOURCE, "ALTER TABLE {table} DROP COLUMN page")
    with monkeypatch.context() as patched:
        patched.delattr(load_of_asset, "table_metadata")
        assert not load_days(instance, API, DAYS[4]).success
    assert load_days(instance, API, DAYS[5]).success
    taken_over(fresh, duckdb_warehouse)
    assert materialized(fresh) == [DAYS[5]]


@pytest.mark.usefixtures("connected")
def test_days_of_another_time_zone_are_other_days(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:5]).success
    tokyo = api_by_day(RESOURCE, timezone="Asia/Tokyo", window=Window(timezone="Asia/Tokyo"))
    assert taken_over(fresh, duckdb_warehouse, tokyo) == []
    assert materialized(fresh) == []


@pytest.mark.usefixtures("connected")
def test_a_load_of_an_unfinished_day_has_not_loaded_it(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:5]).success
    early = f"UPDATE {{table}} SET loaded_at = '{DAYS[4]}' WHERE partition_key = '{DAYS[4]}'"
    change(duckdb_warehouse, "loaded_partitions", early)
    taken_over(fresh, duckdb_warehouse)
    assert materialized(fresh) == DAYS[:4]


@pytest.mark.usefixtures("connected")
def test_a_read_that_the_configuration_limits_is_no_complete_load(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    entry = dict(VIEWS.entry)
    entry["endpoint"] = {**entry["endpoint"], "paginator": {"type": "single_page"}}
    limited = Api(
        name=API.name,
        config={**API.config, "resources": [entry]},
        openapi=API.openapi,
        policies={RESOURCE: {"load": partitioned(VIEWS)}},
    )
    assert load_days(instance, API, *DAYS[:2]).success
    load_days(instance, limited, *DAYS[2:20])
    assert taken_over(fresh, duckdb_warehouse)
    assert materialized(fresh) == DAYS[:2]


@pytest.mark.usefixtures("connected")
def test_the_first_load_notes_what_an_earlier_release_has_loaded(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:10]).success
    change(duckdb_warehouse, "loaded_partitions", "DROP TABLE {table}")
    change(duckdb_warehouse, RESOURCE, f"DELETE FROM {{table}} WHERE date = DATE '{DAYS[3]}'")
    assert taken_over(fresh, duckdb_warehouse) == []
    assert load_days(instance, API, DAYS[10]).success
    assert due(fresh, duckdb_warehouse) == DAYS
    with dg.DagsterInstance.ephemeral() as another:
        taken_over(another, duckdb_warehouse)
        assert materialized(another) == [*DAYS[:3], *DAYS[4:11]]


@pytest.mark.usefixtures("connected")
def test_a_warehouse_without_the_table_is_looked_at_again(
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    fresh: dg.DagsterInstance,
) -> None:
    takeovers = Takeovers([VIEWS])

    def tick(minutes: int) -> list[str]:
        return list(takeovers.tick(fresh, NOW + timedelta(minutes=minutes), 1e12))

    assert tick(0) == []
    assert not Path(str(duckdb_warehouse.duckdb_file)).exists()
    assert load_days(instance, API, *DAYS[:2]).success
    assert tick(1) == []
    [found] = tick(6)
    assert found.startswith("Found 2 loaded partitions")
    assert tick(12) == []


@pytest.mark.usefixtures("connected")
def test_the_sensor_takes_over_before_it_looks_for_the_newest_partition(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, fresh: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:2]).success
    sensor = build_housekeeping_sensor([API], lambda: NOW)
    done = sensor.evaluate_tick(dg.build_sensor_context(instance=fresh)).skip_message
    assert done
    assert "Found 2 loaded partitions of analytics/page_views" in done
    assert "analytics/page_views is late." in done


def test_a_sensor_without_the_settings_of_the_warehouse_says_so(
    fresh: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://x:y@127.0.0.1:1/none")
    takeovers = Takeovers([VIEWS])
    [found] = takeovers.tick(fresh, NOW, 1e12)
    assert found.startswith("The warehouse was not asked for loaded partitions of analytics: ")
    assert list(takeovers.tick(fresh, NOW, 1e12)) == []
