"""Loads in threads, into PostgreSQL: each table has its rows, one token serves all."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from dlt.common.libs import is_arrow_schema
from dlt.common.runtime.signals import intercepted_signals

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key, op_name
from analytics_assets.orchestration.runs.executor.multithread import ONE_BY_ONE
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY, point_at
from analytics_assets_tests.orchestration.runs.executor.jobs import (
    Crowd,
    finished,
    steps_with,
    terminate,
    work_until_interrupted,
)
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, entry_of, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

AT_ONCE = 4
ROWS: Mapping[str, Sequence[dict[str, Any]]] = {
    f"orders_{table}": [
        {"id": f"{table}-{number}", "text": "x" * table, "amount": number * table}
        for number in range(250)
    ]
    for table in range(1, 9)
}


class Meeting(Sandbox):
    """An API that answers once several tables have asked, and counts those that wait."""

    def __init__(self) -> None:
        super().__init__(extra_rows=ROWS, today=TODAY, client_id=f"client-{uuid4().hex}")
        self.crowd = Crowd(enough=AT_ONCE)

    def rows(self, resource: str) -> Any:
        """Return the rows of a resource."""
        self.crowd.visit()
        return super().rows(resource)


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Meeting]:
    with Meeting() as running:
        point_at(running, monkeypatch)
        yield running


@pytest.fixture
def instance(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as shipped, whose pools have one slot each."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        yield instance


def test_tables_are_loaded_at_once_and_one_that_fails_leaves_the_others_alone(
    meeting: Meeting, postgres_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    failing = "orders_5"
    meeting.faults.add(Fault(path=f"/v1/{failing}", times=None, status=404))
    resources = [{**entry_of(name), "primary_key": "id"} for name in ROWS]
    api = Api(name="shop", config={**API.config, "resources": resources})
    job = build_definitions(api).resolve_implicit_global_asset_job_def()
    selected = job.get_subset(asset_selection={asset_key(each) for each in api.resources.values()})

    run = finished(instance, selected, {"max_concurrent": 8})

    failed = steps_with(instance, run, dg.DagsterEventType.STEP_FAILURE)
    assert failed == [op_name(api.resources[failing])]
    assert not [path for path in postgres_warehouse.pipelines_dir.iterdir() if path.is_dir()]
    for name in ROWS.keys() - {failing}:
        assert table_rows(postgres_warehouse, name) == api_rows(ROWS[name])
    assert meeting.crowd.most >= AT_ONCE
    tokens = [asked for asked in meeting.requests if "token" in asked.path]
    assert len(tokens) == 1
    held = instance.event_log_storage
    pools = [held.get_concurrency_info(pool) for pool in held.get_concurrency_keys()]
    assert len(pools) >= len(ROWS)
    assert not [pool for pool in pools if pool.claimed_slots or pool.pending_steps]


def test_dlt_1_31_does_not_keep_a_termination_to_itself_while_it_loads(
    instance: dg.DagsterInstance,
) -> None:
    started = list[str]()

    def op(name: str) -> dg.OpDefinition:
        @dg.op(name=name, pool="duckdb")
        def load(context: dg.OpExecutionContext) -> None:
            started.append(name)
            with intercepted_signals():  # as dlt does around its steps
                terminate(context.instance, context.run_id)
                work_until_interrupted()

        return load

    @dg.job(executor_def=ONE_BY_ONE)
    def job() -> None:
        for name in ("one", "other"):
            op(name)()

    assert finished(instance, job).status is dg.DagsterRunStatus.CANCELED
    assert len(started) == 1


def test_dlt_1_31_uses_a_pyarrow_that_another_thread_is_importing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", ModuleType("pyarrow"))
    with pytest.raises(AttributeError):
        is_arrow_schema([])
