"""Dagster's history in a SQLite as its makers build it: distributions allow more variables."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

from analytics_assets.orchestration.runs.materializations import last_loads
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets_tests.support.loading import history_in

STOCK = 32_766  # variables in a statement
LOW = 900  # for 120 partitions as STOCK is for 4,096: eight values each are more
DAYS = dg.DailyPartitionsDefinition("2000-01-01")
TABLE = dg.AssetKey("table")


@dg.asset(key=TABLE, partitions_def=DAYS)
def table() -> None: ...


@dg.asset_check(asset=TABLE)
def check() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@contextmanager
def variables_limited(most: int) -> Iterator[None]:
    """Limit the variables of each statement of all connections."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, most)

    sqlalchemy.event.listen(Pool, "connect", limit)
    try:
        yield
    finally:
        sqlalchemy.event.remove(Pool, "connect", limit)


def planned(days: list[str]) -> dg.EventLogEntry:
    """Return the event that a check is to look at some days."""
    subset: Any = DAYS.subset_with_partition_keys(days).to_serializable_subset()
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value,
        job_name="job",
        event_specific_data=AssetCheckEvaluationPlanned(
            asset_key=TABLE, check_name="check", partitions_subset=subset
        ),
    )
    entry: Any = dg.EventLogEntry
    found: dg.EventLogEntry = entry(
        error_info=None,
        level=10,
        user_message="",
        run_id="00000000-0000-0000-0000-000000000001",
        timestamp=1800000000.0,
        dagster_event=event,
    )
    return found


def test_dagster_1_13_cannot_plan_a_check_for_4096_partitions(tmp_path: Path) -> None:
    days = list(DAYS.get_partition_keys())
    with variables_limited(STOCK), dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.event_log_storage.store_event(planned(days[:4095]))
        with pytest.raises(OperationalError, match="too many SQL variables"):
            instance.event_log_storage.store_event(planned(days[:4096]))


def test_a_run_takes_no_more_variables_for_more_partitions(tmp_path: Path) -> None:
    days = list(DAYS.get_partition_keys())[:120]
    definitions = dg.Definitions(assets=[table], asset_checks=[check])
    with variables_limited(LOW), history_in(tmp_path) as instance:
        run = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, tags=range_tags(days), raise_on_error=False
        )
        assert run.success
        assert set(last_loads(instance, TABLE, days)) == set(days)
