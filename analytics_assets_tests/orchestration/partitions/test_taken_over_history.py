"""Partitions of another instance in Dagster's history, as the UI shows them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import (  # type: ignore[attr-defined]
    InProcessTestWorkspaceLoadTarget,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster_graphql.test.utils import execute_dagster_graphql

from analytics_assets.defs.analytics import api as module
from analytics_assets.orchestration.partitions import takeover
from analytics_assets.orchestration.partitions.definition import partitioned, partitions_until
from analytics_assets.orchestration.partitions.takeover import take_over
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import history_in
from analytics_assets_tests.support.tables import opened_with

SOURCES = module.API.resources["traffic_sources"]
NOW = datetime.now(UTC) - timedelta(days=1)  # the UI shows no partition of tomorrow
DAYS = partitions_until(partitioned(SOURCES), NOW)
LOADED_AT = NOW - timedelta(hours=5)
QUERY = """
query ($asset: AssetKeyInput!, $partitions: [String!]!) {
  assetNodeOrError(assetKey: $asset) {
    ... on AssetNode {
      partitionStats { numMaterialized numPartitions numFailed numMaterializing }
      latestMaterializationByPartition(partitions: $partitions) {
        timestamp runId description metadataEntries { label ... on IntMetadataEntry { intValue } }
      }
    }
  }
}
"""


@pytest.fixture(params=["sqlite", "postgres"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A new instance, in each of the two storages."""
    folder = tmp_path / "history"
    folder.mkdir()
    if request.param == "sqlite":
        with history_in(folder) as instance:
            yield instance
        return
    storage = {
        "module": "analytics_assets.orchestration.runs.storage",
        "class": "PostgresStorage",
        "config": {"postgres_url": request.getfixturevalue("postgres_url")},
    }
    overrides = {"storage": {"custom": storage}, "telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(folder), overrides=overrides) as instance:
        yield instance


def shown(instance: dg.DagsterInstance, *days: str) -> Any:
    """Return the answer of the UI's server."""
    code = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(module_name=module.__name__), location_name="analytics"
    )
    asset = {"path": ["analytics", SOURCES.name]}
    with WorkspaceProcessContext(instance, InProcessTestWorkspaceLoadTarget(code)) as process:
        result = execute_dagster_graphql(
            process.create_request_context(), QUERY, {"asset": asset, "partitions": list(days)}
        )
    assert not result.errors
    return result.data["assetNodeOrError"]


def test_the_ui_shows_what_another_instance_has_loaded(
    history: dg.DagsterInstance, duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "AT_ONCE", 100)
    loads = [LoadedPartition(key, "UTC", LOADED_AT, None, rows) for rows, key in enumerate(DAYS)]
    with opened_with(duckdb_warehouse, traffic_sources=("id bigint, date date", "")) as tables:
        tables.loaded_partitions(SOURCES).store([loads[0], *loads[2:]])
    with duckdb_warehouse.open() as tables:
        assert len(list(take_over(history, {"analytics": tables}, [SOURCES], NOW))) == 1

    answer = shown(history, DAYS[0], DAYS[1], DAYS[-1])

    assert answer["partitionStats"]["numMaterialized"] == len(DAYS) - 1
    assert answer["partitionStats"]["numFailed"] == 0
    first, missing, last = answer["latestMaterializationByPartition"]
    assert missing is None
    assert (first["runId"], last["runId"]) == ("", "")
    assert int(last["timestamp"]) == pytest.approx(LOADED_AT.timestamp() * 1000, abs=2000)
    assert last["description"].startswith("Found in the warehouse")
    counts = {each["label"]: each.get("intValue") for each in last["metadataEntries"]}
    assert counts["dagster/partition_row_count"] == len(DAYS) - 1
