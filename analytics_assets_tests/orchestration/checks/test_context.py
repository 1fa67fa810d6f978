"""The rows that a check looks at: those of a load after it, else those of the whole table."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from analytics_assets.contract.resource import resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.checks.context import CheckContext
from analytics_assets.orchestration.checks.document_cache import DocumentCache
from analytics_assets.orchestration.checks.result import WHOLE_TABLE_CHECKED, CheckResult
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import LOAD_ID
from analytics_assets.orchestration.runs.last_load import LastLoad
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, check_of
from analytics_assets_tests.support.partitioned import api_by_day, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.tables import opened_with

BY_DAY = api_by_day("page_views")
ASSET = asset_key(BY_DAY.resources["page_views"])
DAYS = days_of(BY_DAY)
CHECK = "lost_partitions"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ["id"]
OTHER_KEY = CheckResult(True, "").after_whole_table(MOMENT, ["id", "day"])
# the last load is that of run 2, the one before it that of run 1; both have a row in the table
LOAD = LastLoad({LOAD_ID: "101.5"}, [], None, "run 2", "run 1", ["100.5"])
FAILED_BETWEEN = {LOAD_ID: "102.5"}  # a third load has written one of the rows


def after_load_of(run: str, **parts: Any) -> dg.AssetCheckEvaluation:
    """The result of a check that has looked at the whole table after the load of a run."""
    result = CheckResult(True, "").after_whole_table(MOMENT, KEY)
    target = AssetCheckEvaluationTargetMaterializationData(
        storage_id=1, run_id=run, timestamp=100.9
    )
    fields: dict[str, Any] = {
        "passed": True,
        "metadata": result.metadata,
        "target_materialization_data": target,
    }
    return dg.AssetCheckEvaluation(asset_key=ASSET, check_name=CHECK, **(fields | parts))


BEFORE = after_load_of("run 1")
CASES: dict[str, tuple[dg.AssetCheckEvaluation | None, LastLoad, str, bool]] = {
    "after the next load": (BEFORE, LOAD, "run 2", True),
    "after a load that wrote nothing": (
        *(BEFORE, LOAD._replace(load_ids_before=()), "run 2", True),
    ),
    "by itself": (after_load_of("run 2"), LOAD, "run 3", False),
    "for the first time": (None, LOAD, "run 2", False),
    "after a failure": (after_load_of("run 1", passed=False), LOAD, "run 2", False),
    "after a result of an earlier version": (
        *(after_load_of("run 1", metadata={}), LOAD, "run 2", False),
    ),
    "after a load that it missed": (after_load_of("run 0"), LOAD, "run 2", False),
    "after a result without a load": (
        *(after_load_of("", target_materialization_data=None), LOAD, "run 2", False),
    ),
    "after a look at another key": (
        *(after_load_of("run 1", metadata=OTHER_KEY.metadata), LOAD, "run 2", False),
    ),
    "in another warehouse": (BEFORE, LOAD._replace(load_ids_before=["99.5"]), "run 2", False),
    "after one that failed after its merge": (
        *(BEFORE, LOAD._replace(metadata=FAILED_BETWEEN), "run 2", False),
    ),
    "after one that wrote nothing, and one that failed after its merge": (
        *(BEFORE, LOAD._replace(metadata=FAILED_BETWEEN, load_ids_before=()), "run 2", False),
    ),
}


@pytest.mark.parametrize(("before", "load", "run", "of_load"), CASES.values(), ids=CASES)
def test_a_check_looks_at_a_load_alone_if_nothing_else_can_be_wrong(
    before: dg.AssetCheckEvaluation | None,
    load: LastLoad,
    run: str,
    of_load: bool,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    tmp_path: Path,
) -> None:
    resource, documents = resource_of(API, "page_views"), DocumentCache(tmp_path)
    loads = ("load_id varchar", "('100.5')")
    rows = ("_dlt_load_id varchar", "('100.5'), ('101.5')")
    with opened_with(duckdb_warehouse, _dlt_loads=loads, page_views=rows) as tables:
        context = CheckContext(resource, documents, instance, run, load, MOMENT, lambda: tables)
        assert context.whole_table_checked(before, KEY) == (MOMENT if of_load else None)


def looked_at_whole(result: dg.ExecuteInProcessResult) -> tuple[bool, float]:
    """Return the outcome of the check, and the moment of its last look at the whole table."""
    found = check_of(result, CHECK)
    moment = found.metadata[WHOLE_TABLE_CHECKED].value
    assert isinstance(moment, float)
    return found.passed, moment


def test_a_loss_is_found_by_the_next_load_and_stays_until_the_whole_table_passes(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    first = looked_at_whole(load_days(instance, BY_DAY, DAYS[0]))
    # of the load alone
    assert looked_at_whole(load_days(instance, BY_DAY, DAYS[1])) == first
    assert looked_at_whole(load_days(instance, BY_DAY, DAYS[1])) == first

    day = f"date = DATE '{DAYS[0]}'"
    one = f"SELECT min(id) FROM {{table}} WHERE {day}"
    change(warehouse, "page_views", f"DELETE FROM {{table}} WHERE id IN ({one})")
    found = [looked_at_whole(load_days(instance, BY_DAY, each)) for each in DAYS[2:4]]
    assert [passed for passed, _ in found] == [False, False]

    passed, moment = looked_at_whole(load_days(instance, BY_DAY, DAYS[0]))
    assert passed
    assert moment > found[1][1] > found[0][1] > first[1]
    assert looked_at_whole(load_days(instance, BY_DAY, DAYS[4])) == (passed, moment)


def test_a_check_that_runs_by_itself_looks_at_the_whole_table(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load_days(instance, BY_DAY, *DAYS[:2])
    # the sum of the rows stays
    statement = "UPDATE {table} SET date = DATE '%s' WHERE date = DATE '%s'"
    change(duckdb_warehouse, "page_views", statement % tuple(DAYS[:2]))
    assert looked_at_whole(load_days(instance, BY_DAY, DAYS[2]))[0]

    job = build_definitions(BY_DAY).resolve_job_def("analytics_checks")
    assert not looked_at_whole(job.execute_in_process(instance=instance))[0]
    assert not looked_at_whole(load_days(instance, BY_DAY, DAYS[3]))[0]
