"""Readers of the history, after it was trimmed: the UI, alerts, `load_health`, backfills."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import (  # type: ignore[attr-defined]
    InProcessTestWorkspaceLoadTarget,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster_graphql.test.utils import execute_dagster_graphql

from analytics_assets.config.api import Api
from analytics_assets.orchestration.automation.alerts.event_log import (
    ended_runs,
    newest_position,
    still_there,
)
from analytics_assets.orchestration.automation.retention.trimming import trim_history
from analytics_assets.orchestration.keys import load_health_key
from analytics_assets.orchestration.load_health.history import READ_UNTIL
from analytics_assets_tests.orchestration.automation.retention import old_history
from analytics_assets_tests.orchestration.automation.retention.old_history import (
    NOW,
    load,
    load_days,
    runs,
    trim,
)


def test_alerts_go_on_where_they_were(stored: dg.DagsterInstance) -> None:
    load(stored, age=100)
    load(stored, age=99)
    position = newest_position(stored, NOW.timestamp() + 60)
    trim(stored)
    assert still_there(stored, position) == position

    new = load(stored)

    assert [each.run_id for each in ended_runs(stored, position)] == [new]


def test_runs_that_load_health_has_not_read_stay_for_90_days(stored: dg.DagsterInstance) -> None:
    client = {"base_url": "https://shop.example.com"}
    api = Api(name="shop", config={"client": client, "resources": ["orders"]})
    old, new = load(stored, age=80), load(stored)

    def trimmed(day: int) -> set[str]:
        for _ in range(2):
            trim_history(stored, [api], NOW + timedelta(days=day), seconds=60)
        return runs(stored)

    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("HISTORY__RUN_DAYS", "30")
        assert trimmed(0) == {old, new}  # it was never read
        read = dg.MetadataValue.timestamp((NOW - timedelta(days=85)).timestamp())
        health = dg.AssetMaterialization(load_health_key("shop"), metadata={READ_UNTIL: read})
        stored.report_runless_asset_event(health)
        assert trimmed(2) == {old, new}
        read = dg.MetadataValue.timestamp(NOW.timestamp())
        health = dg.AssetMaterialization(load_health_key("shop"), metadata={READ_UNTIL: read})
        stored.report_runless_asset_event(health)
        assert trimmed(4) == {new}


def test_runs_of_a_backfill_under_way_stay_and_its_record_for_ever(
    stored: dg.DagsterInstance,
) -> None:
    of_two = [load(stored, age=100, tags={"dagster/backfill": name}) for name in ("open", "done")]
    new = load(stored)
    for name, status in (
        ("open", BulkActionStatus.REQUESTED),
        ("done", BulkActionStatus.COMPLETED_SUCCESS),
    ):
        backfill = PartitionBackfill(
            backfill_id=name,
            status=status,
            from_failure=False,
            tags={},
            backfill_timestamp=(NOW - timedelta(days=100)).timestamp(),
        )
        stored.add_backfill(backfill)

    trim(stored)

    assert runs(stored) == {of_two[0], new}
    assert {each.backfill_id for each in stored.get_backfills()} == {"open", "done"}


PARTITIONS = """
query ($days: AssetKeyInput!) {
  assetNodeOrError(assetKey: $days) {
    ... on AssetNode {
      partitionStats { numMaterialized numFailed numMaterializing }
      latestMaterializationByPartition(partitions: ["2026-01-01", "2026-01-02", "2026-02-01"]) {
        partition
        runId
        runOrError { __typename }
        metadataEntries { label }
        stepStats { status }
      }
    }
  }
}
"""
CHECKS = """
query ($orders: AssetKeyInput!) {
  assetNodeOrError(assetKey: $orders) {
    ... on AssetNode {
      assetMaterializations(limit: 5) { runId }
      assetChecksOrError {
        ... on AssetChecks {
          checks {
            name
            executionForLatestMaterialization {
              status
              runId
              evaluation { success metadataEntries { label } }
            }
          }
        }
      }
    }
  }
  assetCheckExecutions(assetKey: $orders, checkName: "complete", limit: 5) { runId status }
}
"""
RUN = """
query ($run: ID!) {
  runOrError(runId: $run) {
    __typename
    ... on Run { status startTime endTime stepStats { stepKey } assetMaterializations { runId } }
  }
  logsForRun(runId: $run) {
    __typename
    ... on EventConnection { events { __typename } }
  }
}
"""


def test_the_ui_answers_for_partitions_checks_and_runs(stored: dg.DagsterInstance) -> None:
    checked = load(stored, age=120)
    first = load_days(stored, "2026-01-01", "2026-01-02", age=110)
    second = load_days(stored, "2026-01-02", "2026-01-03", age=100)
    gone = load_days(stored, "2026-01-03", "2026-01-03", age=100)
    load_days(stored, "2026-01-03", "2026-01-03")
    code = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(module_name=old_history.__name__, attribute="PROJECT"),
        location_name="shop",
    )

    def answer(query: str, **variables: Any) -> Any:
        target = InProcessTestWorkspaceLoadTarget(code)
        with WorkspaceProcessContext(stored, target) as process:
            result = execute_dagster_graphql(process.create_request_context(), query, variables)
        assert not result.errors
        return result.data

    days, orders = {"path": ["shop", "days"]}, {"path": ["shop", "orders"]}
    of_checks = answer(CHECKS, orders=orders)
    of_partitions = answer(PARTITIONS, days=days)

    trim(stored)

    assert gone not in runs(stored)
    assert answer(CHECKS, orders=orders) == of_checks
    (check,) = of_checks["assetNodeOrError"]["assetChecksOrError"]["checks"]
    execution = check["executionForLatestMaterialization"]
    assert (execution["status"], execution["runId"]) == ("SUCCEEDED", checked)
    after = answer(PARTITIONS, days=days)
    assert after["assetNodeOrError"]["partitionStats"]["numMaterialized"] == 3
    assert (
        after["assetNodeOrError"]["partitionStats"]
        == (of_partitions["assetNodeOrError"]["partitionStats"])
    )
    one, two, none = after["assetNodeOrError"]["latestMaterializationByPartition"]
    assert (one["runId"], two["runId"], none) == (first, second, None)
    assert one["runOrError"]["__typename"] == "Run"
    assert [entry["label"] for entry in one["metadataEntries"]] == ["rows"]
    of_run = answer(RUN, run=first)
    assert of_run["runOrError"]["status"] == "SUCCESS"
    assert of_run["runOrError"]["endTime"]
    events = [each["__typename"] for each in of_run["logsForRun"]["events"]]
    assert events == [
        "RunStartEvent",
        "ExecutionStepStartEvent",
        "ExecutionStepSuccessEvent",
        "RunSuccessEvent",
    ]
    assert one["stepStats"]["status"] == "SUCCESS"
    assert answer(RUN, run=gone)["runOrError"]["__typename"] == "RunNotFoundError"
