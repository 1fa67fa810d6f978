"""A history of runs on disk, some of them as old as a test needs them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs.schema import RunsTable

from analytics_assets.orchestration.automation.retention.progress import Trimmed
from analytics_assets.orchestration.automation.retention.trimming import trim_history

NOW = datetime.now(UTC)
ORDERS, DAYS = dg.AssetKey(["shop", "orders"]), dg.AssetKey(["shop", "days"])
COMPLETE = dg.AssetCheckKey(ORDERS, "complete")
BY_DAY = dg.DailyPartitionsDefinition("2026-01-01")


def project(*, fails: bool = False) -> dg.Definitions:
    """An asset with a check, and one with days."""

    @dg.asset(key=ORDERS, check_specs=[dg.AssetCheckSpec("complete", asset=ORDERS)])
    def orders(context: dg.AssetExecutionContext) -> Any:
        assert not fails, "the API is down"
        context.log.info("read")
        checked = dg.AssetCheckResult(passed=True, check_name="complete", metadata={"rows": 5})
        yield dg.MaterializeResult(
            metadata={"rows": 5, "chart": "x" * 5000}, check_results=[checked]
        )

    @dg.asset(key=DAYS, partitions_def=BY_DAY, backfill_policy=dg.BackfillPolicy.single_run())
    def days(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        context.log.info("read")
        return dg.MaterializeResult(metadata={"rows": len(context.partition_keys)})

    return dg.Definitions(assets=[orders, days], jobs=[dg.define_asset_job("all", [orders])])


PROJECT = project()


def load(
    instance: dg.DagsterInstance, *, age: float = 0, fails: bool = False, tags: Any = None
) -> str:
    """Load the asset without partitions, some days ago, and return the run."""
    job = project(fails=fails).resolve_job_def("all")
    run = job.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    assert run.success is not fails
    make_older(instance, run.run_id, age)
    return run.run_id


def load_days(instance: dg.DagsterInstance, first: str, last: str, age: float = 0) -> str:
    """Load days in one run, some days ago, and return the run."""
    span = {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }
    definitions = project()
    asset = definitions.get_assets_def(DAYS)
    run = dg.materialize([asset], instance=instance, tags=span)
    make_older(instance, run.run_id, age)
    return run.run_id


def make_older(instance: dg.DagsterInstance, run_id: str, days: float) -> None:
    """Move a run, with all its events and results, some days back; for no run, with the id ""."""
    back = timedelta(days=days)
    log: Any = instance.event_log_storage
    events, checks = SqlEventLogStorageTable, AssetCheckExecutionsTable
    for connect in (log.index_connection, lambda: log.run_connection(run_id)):
        with connect() as connection:
            _move(connection, events, back, run_id, "timestamp")
    with log.index_connection() as connection:
        _move(connection, checks, back, run_id, "evaluation_event_timestamp", "create_timestamp")
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        _move(connection, RunsTable, back, run_id, "create_timestamp", "update_timestamp")


def _move(connection: Any, table: Any, back: timedelta, run_id: str, *columns: str) -> None:
    of_run = table.c.run_id == run_id
    for row in connection.execute(table.select().where(of_run)).mappings().all():
        moved = {name: row[name] - back for name in columns}
        connection.execute(table.update().where(table.c.id == row["id"]).values(**moved))


def trim(instance: dg.DagsterInstance, now: datetime = NOW) -> Trimmed:
    """Trim the history by a whole pass, of some ticks of the sensor."""
    whole = Trimmed()
    for tick in range(3):
        step = trim_history(instance, [], now + timedelta(seconds=30 * tick), seconds=60)
        whole = Trimmed(
            whole.runs + step.runs, whole.events + step.events, whole.results + step.results
        )
    return whole


def runs(instance: dg.DagsterInstance) -> set[str]:
    """Return the ids of the runs that the history has."""
    return {run.run_id for run in instance.get_runs()}


def kinds(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return the kinds of the events that a page of a run shows, but for plain messages."""
    records = instance.get_records_for_run(run_id).records
    events = [record.event_log_entry.dagster_event for record in records]
    return [event.event_type_value for event in events if event]


def loads(instance: dg.DagsterInstance, asset: dg.AssetKey) -> Sequence[str]:
    """Return the runs of the loads of an asset, the newest first."""
    return [each.run_id for each in instance.fetch_materializations(asset, limit=500).records]
