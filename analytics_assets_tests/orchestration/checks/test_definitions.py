"""The checks: each turns red when what it is named after breaks in the table itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.load import Full
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.checks.table_checks import (
    check_columns,
    check_newest_data,
    check_primary_key,
)
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY, point_at
from analytics_assets_tests.support.loading import api_with, change, load
from analytics_assets_tests.support.partitioned import api_of
from analytics_assets_tests.support.sandbox import Sandbox

OF_THE_TABLE = {"rows_present", "primary_key", "newest_data", "columns_unchanged"}
ALL = OF_THE_TABLE | {"complete_read", "no_rejected_rows", "contract_drift"}


def outcomes(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    """Return whether each check passed, and what it said."""
    return {
        evaluation.check_name: (evaluation.passed, str(evaluation.description))
        for evaluation in result.get_asset_check_evaluations()
    }


def run_checks_alone(instance: dg.DagsterInstance) -> dict[str, tuple[bool, str]]:
    """Run the checks of `page_views` without loading it."""
    selection = dg.AssetSelection.checks_for_assets(asset_key(API.resources["page_views"]))
    jobs = dg.Definitions(jobs=[dg.define_asset_job("checks", selection)])
    job = dg.Definitions.merge(build_definitions(API), jobs).resolve_job_def("checks")
    return outcomes(job.execute_in_process(instance=instance))


@pytest.fixture
def loaded(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> dict[str, tuple[bool, str]]:
    """What the checks said of a fresh load of `page_views`."""
    return outcomes(load(instance, "page_views"))


def test_a_good_load_passes_all_but_freshness_of_old_data(
    loaded: dict[str, tuple[bool, str]],
) -> None:
    assert loaded.keys() == ALL
    assert {name for name, (passed, _) in loaded.items() if not passed} == {"newest_data"}
    assert str(TODAY - timedelta(days=1)) in loaded["newest_data"][1]


def test_data_up_to_yesterday_is_fresh(
    sandbox: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point_at(sandbox, monkeypatch)
    sandbox.today = None
    assert outcomes(load(instance, "daily_active_users"))["newest_data"][0]


def test_a_load_of_nothing_cannot_pass_for_fresh_data(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.today = None
    assert outcomes(load(instance, "page_views"))["newest_data"][0]
    change(warehouse, "page_views", "DELETE FROM {table} WHERE date > DATE '2025-12-31'")
    assert not run_checks_alone(instance)["newest_data"][0]


def test_duplicated_keys_are_found(
    loaded: dict[str, tuple[bool, str]], warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    change(warehouse, "page_views", "UPDATE {table} SET id = 'one' WHERE date = DATE '2025-07-03'")
    passed, text = run_checks_alone(instance)["primary_key"]
    assert not passed
    assert text == "0 rows without a key, 1 keys more than once."


def test_an_empty_table_is_found(
    loaded: dict[str, tuple[bool, str]], warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    change(warehouse, "page_views", "DELETE FROM {table}")
    after = run_checks_alone(instance)
    assert not after["rows_present"][0]
    assert after["newest_data"] == (False, "No row has a date or a time in `date`.")


def test_a_column_that_came_or_went_is_named_in_a_warning(
    loaded: dict[str, tuple[bool, str]], warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    change(warehouse, "page_views", "ALTER TABLE {table} ADD COLUMN surprise VARCHAR")
    change(warehouse, "page_views", "ALTER TABLE {table} DROP COLUMN agent")
    passed, text = run_checks_alone(instance)["columns_unchanged"]
    assert not passed
    assert text == "added surprise (text); removed agent (text)"


def test_a_missing_table_fails_every_check_of_it(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    after = run_checks_alone(instance)
    assert {name: after[name] for name in OF_THE_TABLE} == dict.fromkeys(
        OF_THE_TABLE, (False, "The table does not exist.")
    )
    assert after["complete_read"] == (False, "The asset was never loaded.")


def test_columns_are_compared_with_the_load_before_and_not_with_this_one(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    said = []
    for row in ({"id": 1}, {"id": 1, "extra": "x"}, {"id": 1, "extra": "x"}):
        with Sandbox(extra_rows={"orders": [row]}) as sandbox:
            point_at(sandbox, monkeypatch)
            result = outcomes(load(instance, api=api_with("orders")))
            said.append(result["columns_unchanged"])
    assert said == [
        (True, "This is the first load."),
        (False, "added extra (text)"),
        (True, "2 columns, as before."),
    ]


def test_a_changed_type_is_named() -> None:
    before = dg.TableSchema([dg.TableColumn("value", "bigint")])
    now = dg.TableSchema([dg.TableColumn("value", "text")])
    verdict = check_columns(before, now)
    assert not verdict.passed
    assert verdict.text == "value was bigint and is text"
    assert verdict.severity == dg.AssetCheckSeverity.WARN


def page_views(**policy: Any) -> ResourceConfig:
    return api_of("page_views", Full(), **policy).resources["page_views"]


def test_a_table_without_the_date_column_says_what_to_put_into_the_policy(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    with warehouse.open() as tables:
        verdict = check_newest_data(tables, page_views(date_column="day"), datetime.now(UTC))
        key = check_primary_key(tables, "page_views", ["uuid"])
    assert not verdict.passed
    assert "`day`" in verdict.text
    assert "`date_column`" in verdict.text
    assert (key.passed, key.text) == (False, "The table has no column uuid.")


@pytest.mark.parametrize(("hours", "fresh"), [(35, True), (37, False)])
def test_freshness_counts_from_the_end_of_the_newest_day(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    hours: int,
    fresh: bool,
) -> None:
    load(instance, "page_views")
    end_of_newest_day = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    with warehouse.open() as tables:
        verdict = check_newest_data(
            tables,
            page_views(freshness=timedelta(hours=36)),
            end_of_newest_day + timedelta(hours=hours),
        )
    assert verdict.passed is fresh
