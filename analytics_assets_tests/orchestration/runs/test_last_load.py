"""The last load of an asset, and of its partitions, in the event log."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from analytics_assets.orchestration.metadata.names import (
    COLUMN_SCHEMA,
    ROWS_LOADED,
)
from analytics_assets.orchestration.runs.last_load import LastLoad, last_load
from analytics_assets.orchestration.runs.materializations import last_loads

ASSET = dg.AssetKey(["shop", "orders"])


def run(instance: dg.DagsterInstance, *days: str | None, **metadata: Any) -> str:
    """Record a run that materializes some partitions, and return its id."""

    @dg.op
    def load(context: dg.OpExecutionContext) -> None:
        for day in days or (None,):
            context.log_event(dg.AssetMaterialization(ASSET, partition=day, metadata=metadata))

    @dg.job
    def job() -> None:
        load()

    return job.execute_in_process(instance=instance).run_id


def with_columns(*names: str, **metadata: Any) -> dict[str, Any]:
    schema = dg.TableSchema([dg.TableColumn(name) for name in names])
    return {COLUMN_SCHEMA: schema, **metadata}


def test_an_asset_that_was_never_loaded_has_no_metadata(instance: dg.DagsterInstance) -> None:
    assert last_load(instance, ASSET, "any run") == LastLoad({}, [], None)


def test_the_partitions_of_one_run_are_one_load(instance: dg.DagsterInstance) -> None:
    run(instance, "2026-01-01", rows_loaded=1)
    last = run(instance, "2026-01-03", "2026-01-02", rows_loaded=2)

    found = last_load(instance, ASSET, last)

    assert found.metadata[ROWS_LOADED] == 2
    assert found.partitions == ["2026-01-02", "2026-01-03"]


def test_the_columns_before_are_those_of_the_load_before_the_run(
    instance: dg.DagsterInstance,
) -> None:
    run(instance, **with_columns("id"))
    last = run(instance, **with_columns("id", "extra"))

    before = {each: last_load(instance, ASSET, each).columns_before for each in (last, "checks")}

    names = {each: [c.name for c in schema.columns] for each, schema in before.items() if schema}
    assert names == {last: ["id"], "checks": ["id", "extra"]}


def test_the_last_load_of_a_partition_began_at_its_load_id(instance: dg.DagsterInstance) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    run(instance, "2026-01-01", "2026-01-02", load_id="1.5")
    run(instance, "2026-01-01", load_id=str(start.timestamp()))

    loads = last_loads(instance, ASSET, ["2026-01-01", "2026-01-02", "2026-01-03"])

    assert {day: load.began for day, load in loads.items()} == {
        "2026-01-01": start,
        "2026-01-02": datetime.fromtimestamp(1.5, UTC),
    }
    assert last_loads(instance, ASSET, []) == {}


def test_a_load_without_rows_began_when_it_was_recorded(instance: dg.DagsterInstance) -> None:
    before = datetime.now(UTC)
    run(instance, "2026-01-01", load_id="none")

    [load] = last_loads(instance, ASSET, ["2026-01-01"]).values()

    assert before <= load.began <= datetime.now(UTC)
