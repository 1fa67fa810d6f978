"""Partitions and rows of another key, path or parameter than that of today."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Incremental, Load, Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import FORMER_CONFIGURATION
from analytics_assets.orchestration.partitions import former_configuration
from analytics_assets.orchestration.partitions.former_configuration import (
    as_note,
    configurations,
    describe,
    former_configurations,
)
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition
from analytics_assets.warehouse.queries.tables import Tables, open_tables
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, check_of, load, metadata_of
from analytics_assets_tests.support.partitioned import api_by_day, api_of, days_of, load_days

VIEWS, USERS = "page_views", "daily_active_users"
CHECK = "former_configuration"
DAYS = Partitioned(start=date(2026, 1, 1))
FIRST, SECOND, THIRD = (f"2026-01-0{day}" for day in (1, 2, 3))
KEEP = "`refresh: drop_state`, once, keeps what is there."


def orders(load: Load = DAYS, key: str = "id", **params: Any) -> ResourceConfig:
    endpoint = {"path": "orders", "params": params}
    entry = {"name": "orders", "primary_key": key, "endpoint": endpoint}
    config = {"client": {"base_url": "https://api.example.com"}, "resources": [entry]}
    return Api(name="shop", config=config, policies={"orders": {"load": load}}).resources["orders"]


def loaded(
    warehouse: Warehouse,
    resource: ResourceConfig,
    *ids: str,
    keys: Sequence[str] = (),
    forget: bool = False,
) -> str:
    """Load rows and note partitions; return what is left of other configurations."""
    with warehouse.loading(resource.pipeline_name, table=resource.table) as pipeline:
        with open_tables(pipeline) as tables:
            known = configurations(tables, resource, datetime.now(UTC), forget=forget)
        pipeline.notes = as_note(known)
        pipeline.run(
            [{"id": each} for each in ids],
            table_name=resource.table,
            primary_key="id",
            write_disposition="merge",
        )
        with open_tables(pipeline) as tables:
            now = datetime.now(UTC)
            noted = [LoadedPartition(key, "UTC", now, None, 1) for key in keys]
            tables.loaded_partitions(resource).store(noted)
            found = former_configurations(tables, resource, known)
            return describe(resource, found) if found else ""


def test_partitions_are_of_a_former_configuration_until_each_is_loaded_again(
    warehouse: Warehouse,
) -> None:
    assert not loaded(warehouse, orders(), "1", keys=[FIRST, SECOND, THIRD])
    assert loaded(warehouse, orders(key="ref"), "1", keys=[SECOND]) == (
        f"2 partitions were read by another `primary_key` (it was `id`): {FIRST} to {THIRD}. Load "
        f"them again: `analytics-assets materialize shop/orders --from {FIRST} --to {THIRD}`, or a "
        f"backfill. {KEEP}"
    )
    assert f": {THIRD}. Load" in loaded(warehouse, orders(key="ref"), "1", keys=[FIRST])
    assert not loaded(warehouse, orders(key="ref"), "1", keys=[THIRD])


def test_a_change_that_is_taken_back_concerns_what_was_read_meanwhile_alone(
    duckdb_warehouse: Warehouse,
) -> None:
    loaded(duckdb_warehouse, orders(), "1", keys=[FIRST, SECOND, THIRD])
    loaded(duckdb_warehouse, orders(currency="EUR"), "1", keys=[SECOND])

    said = loaded(duckdb_warehouse, orders(), "1", keys=[THIRD])

    assert said.startswith(
        f"1 partition was read by another `params.currency` (it was `EUR`): {SECOND}. Load"
    )
    assert not loaded(duckdb_warehouse, orders(), "1", keys=[SECOND])


def test_each_former_configuration_is_named_as_long_as_something_is_left_of_it(
    duckdb_warehouse: Warehouse,
) -> None:
    loaded(duckdb_warehouse, orders(), "1", keys=[FIRST, SECOND])
    loaded(duckdb_warehouse, orders(currency="EUR"), "1", keys=[SECOND])

    said = loaded(duckdb_warehouse, orders(currency="USD"), "1", keys=[THIRD])

    assert f"`params.currency` (it was missing): {FIRST}. 1 partition was read" in said
    assert f"`params.currency` (it was `EUR`): {SECOND}. Load them again" in said
    assert not loaded(duckdb_warehouse, orders(currency="USD"), "1", keys=[FIRST, SECOND])
    loaded(duckdb_warehouse, orders(currency="USD"), "1")
    with duckdb_warehouse.open() as tables:
        assert len(configurations(tables, orders(currency="USD"), datetime.now(UTC))) == 1


def test_while_nothing_is_of_another_configuration_no_row_is_looked_at(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(duckdb_warehouse, orders(Full()), "1", "2")
    loaded(duckdb_warehouse, orders(Full(), currency="EUR"), "1")
    loaded(duckdb_warehouse, orders(Full()), "1")
    assert not loaded(duckdb_warehouse, orders(Full()), "1")  # a part is of the first load
    asked, execute = list[str](), Tables.execute

    def noted(tables: Tables, statement: str, *parameters: Any) -> Any:
        asked.append(statement)
        return execute(tables, statement, *parameters)

    monkeypatch.setattr(Tables, "execute", noted)
    assert not loaded(duckdb_warehouse, orders(Full()), "1")
    assert not loaded(duckdb_warehouse, orders(), "1")  # by windows, where it was without
    assert not loaded(duckdb_warehouse, orders(), "1")
    assert not [each for each in asked if "GROUP BY" in each]
    assert loaded(duckdb_warehouse, orders(currency="USD"), "1")
    assert [each for each in asked if "GROUP BY" in each]


def test_the_newest_of_many_configurations_are_kept(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(former_configuration, "MOST_KEPT", 2)
    said = [loaded(duckdb_warehouse, orders(Full(), at=each), str(each)) for each in range(4)]
    assert said[-1].startswith("3 rows were read by another `params.at` (it was `2`), and by no")


@pytest.mark.parametrize(
    ("how", "remedy"),
    [
        (DAYS, "A backfill with `refresh: drop_data` deletes"),
        (Full(), "A run with `refresh: drop_data` deletes"),
        (
            Incremental(initial_value="2026-01-01"),
            "A run with `full_refresh: true` reads all rows again. A run with `refresh: drop_data` "
            "deletes",
        ),
    ],
)
def test_rows_that_no_load_has_brought_again_are_of_a_former_configuration(
    warehouse: Warehouse, how: Load, remedy: str
) -> None:
    loaded(warehouse, orders(how), "1", "2")
    assert loaded(warehouse, orders(how, status="paid"), "2", "3") == (
        "1 row was read by another `params.status` (it was missing), and by no load since. "
        f"{remedy} what the API no longer has; {KEEP}"
    )
    assert not loaded(warehouse, orders(how, status="paid"), "1")


def test_what_is_there_may_be_kept(duckdb_warehouse: Warehouse) -> None:
    loaded(duckdb_warehouse, orders(), "1", keys=[FIRST])
    assert loaded(duckdb_warehouse, orders(key="ref"), "2")
    assert not loaded(duckdb_warehouse, orders(key="ref"), "2", forget=True)
    assert not loaded(duckdb_warehouse, orders(key="ref"), "2")


def test_what_was_loaded_before_there_was_a_note_is_of_the_first_one(
    duckdb_warehouse: Warehouse,
) -> None:
    with duckdb_warehouse.loading(orders().pipeline_name, table="orders") as pipeline:
        pipeline.run([{"id": "1"}], table_name="orders", primary_key="id")
    assert not loaded(duckdb_warehouse, orders(), "2")
    assert loaded(duckdb_warehouse, orders(status="paid"), "2").startswith("1 row was read")


def test_rows_that_others_have_inserted_are_of_no_configuration(
    duckdb_warehouse: Warehouse,
) -> None:
    loaded(duckdb_warehouse, orders(), "1", "2", "3")
    change(duckdb_warehouse, "orders", "UPDATE {table} SET _dlt_load_id = 'x' WHERE id = '2'")
    said = loaded(duckdb_warehouse, orders(key="ref"), "3")
    assert said.startswith("1 row was read by another `primary_key`")


@pytest.mark.usefixtures("connected", "duckdb_warehouse")
def test_a_load_and_the_check_by_itself_warn_until_the_partitions_are_loaded_again(
    instance: dg.DagsterInstance,
) -> None:
    before = api_by_day(VIEWS)
    [entry] = before.config["resources"]
    keyed = {**entry, "primary_key": ["id", "date"]}
    after = replace(before, config={**before.config, "resources": [keyed]})
    first, second, *_ = days_of(before)
    assert not warning(load_days(instance, before, first, second))
    said = "partitions were read by another `primary_key` (it was `id`): "

    assert f"2 {said}{first} to {second}." in check_alone(instance, after)
    result = load_days(instance, after, second)

    assert warning(result) == metadata_of(result, VIEWS)[FORMER_CONFIGURATION]
    assert f" (it was `id`): {first}. Load" in warning(result)
    assert not warning(load_days(instance, after, first))
    assert not check_alone(instance, after)


@pytest.mark.usefixtures("connected", "duckdb_warehouse")
def test_a_run_that_drops_the_state_keeps_older_rows_without_a_warning(
    instance: dg.DagsterInstance,
) -> None:
    before = api_of(USERS, Incremental(initial_value="2025-01-01"))
    [entry] = before.config["resources"]
    other = {**entry, "endpoint": {**entry["endpoint"], "params": {"segment": "all"}}}
    after = replace(before, config={**before.config, "resources": [other]})
    load(instance, USERS, api=before)

    assert "and by no load since" in warning(load(instance, USERS, api=after))
    again = {"refresh": "drop_state", "confirm": USERS}
    assert not warning(load(instance, USERS, api=after, config=again))


def warning(result: dg.ExecuteInProcessResult) -> str:
    """Return what the check warns of after a load; empty if it passes."""
    assert result.success
    found = check_of(result, CHECK)
    assert found.severity == dg.AssetCheckSeverity.WARN
    return "" if found.passed else str(found.description)


def check_alone(instance: dg.DagsterInstance, api: Api) -> str:
    """Return what the check warns of when it runs without a load."""
    [resource] = api.resources.values()
    selection = dg.AssetSelection.checks(dg.AssetCheckKey(asset_key(resource), CHECK))
    jobs = dg.Definitions(jobs=[dg.define_asset_job("check_alone", selection)])
    job = dg.Definitions.merge(build_definitions(api), jobs).resolve_job_def("check_alone")
    return warning(job.execute_in_process(instance=instance))
