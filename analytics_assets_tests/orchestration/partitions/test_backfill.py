"""A range of days: loaded window by window, told of day by day, and carried on where it ended."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Partitioned
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions import backfill
from analytics_assets.orchestration.partitions.definition import partitions_of, range_tags
from analytics_assets.orchestration.runs.priority import BEFORE_BACKFILLS, a_more_urgent_run_waits
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.loading import (
    api_rows,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.partitioned import (
    api_by_day,
    api_of,
    days_of,
    load_days,
    told_of,
)
from analytics_assets_tests.support.sandbox import Fault, Sandbox

RESOURCE = "traffic_sources"
JOB = "analytics_cron_0_6_by_day_job"
PATH = f"/v1/{RESOURCE}"
API = api_by_day(RESOURCE)  # thirty days in two windows
DAYS = days_of(API)
PATIENCE = 120  # seconds that a busy machine may take


def windows_asked_for(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return the windows that were asked for, each once, in their order."""
    asked = [record.query for record in sandbox.requests if record.path == PATH]
    return list(dict.fromkeys((query["start_date"], query["end_date"]) for query in asked))


def partition_status(instance: dg.DagsterInstance, api: Api = API) -> Counter[str]:
    """Count the days as the UI shows them: materialized, failed, or neither."""
    key = asset_key(api, RESOURCE)
    how = api.policy(RESOURCE).load
    assert isinstance(how, Partitioned)
    status = instance.get_status_by_partition(key, days_of(api), partitions_of(how))
    return Counter(str(each.value if each else None) for each in (status or {}).values())


def test_a_range_is_asked_for_in_windows_of_the_length_that_the_policy_says(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert load_days(instance, API).success
    assert windows_asked_for(connected) == [
        ("2025-07-02", "2025-07-16"),
        ("2025-07-17", "2025-07-31"),
    ]
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))


def test_each_day_is_told_of_once_with_its_rows_and_what_its_window_took(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load_days(instance, API)
    events = [event.partition for event in result.get_asset_materialization_events()]
    assert events == DAYS
    told = told_of(instance, API)
    rows = Counter(row["date"] for row in sandbox_rows(RESOURCE, TODAY))
    assert {day: each["dagster/partition_row_count"] for day, each in told.items()} == rows
    assert told[DAYS[0]]["window"] == "2025-07-02 to 2025-07-16"
    assert told[DAYS[0]]["rows_loaded"] == sum(rows[day] for day in DAYS[:15])
    assert told[DAYS[-1]]["dagster/row_count"] == rows.total()
    assert "dagster/column_schema" in told[DAYS[-1]]


def test_all_windows_share_one_sign_in_and_cost_no_request_more_than_their_pages(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load_days(instance, API)
    assert connected.tokens.issued == 1
    sent = [record for record in connected.requests if record.path == PATH]
    pages_per_window = 3  # of 225 rows
    assert len(sent) == 2 * pages_per_window
    per_window = {each["window"]: each["requests"] for each in told_of(instance, API).values()}
    assert list(per_window.values()) == [pages_per_window] * 2


def test_each_window_keeps_to_the_rate_limit(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Measured from what comes before a window's first request: no busy machine makes it less."""
    per_second = 2
    monkeypatch.setenv("READING__MAX_PER_SECOND", str(per_second))
    run_id = load_days(instance, API).run_id
    began = moments_of(instance, run_id, dg.DagsterEventType.STEP_START)[0]
    told = moments_of(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)[14]
    asked = [record for record in connected.requests if record.path == PATH]
    assert len(asked) == 6
    for before, window in ((began, asked[:3]), (told, asked[3:])):
        for earlier, record in enumerate(window):
            assert record.moment - before >= earlier / per_second


def moments_of(
    instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType
) -> Sequence[float]:
    """Return when events of a run happened, in seconds since the epoch, in their order."""
    records = instance.get_records_for_run(run_id, of_type=kind, ascending=True).records
    return [record.timestamp for record in records]


def test_windows_that_are_done_stay_so_when_a_later_one_fails_and_the_rest_is_named(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path=PATH, day="2025-07-20", times=None, status=403))
    result = load_days(instance, API)
    [said] = failures_of(result).values()
    assert said.startswith("traffic_sources was not loaded for 2025-07-17 to 2025-07-31. ")
    assert partition_status(instance) == {"MATERIALIZED": 15, "FAILED": 15}
    assert {row["date"] for row in table_rows(warehouse, RESOURCE)} == set(DAYS[:15])

    connected.faults.clear()
    assert load_days(instance, API, *DAYS[15:]).success
    assert partition_status(instance) == {"MATERIALIZED": 30}
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))


def test_a_run_without_partitions_says_how_to_choose_them(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    [said] = failures_of(job.execute_in_process(instance=instance, raise_on_error=False)).values()
    assert "analytics/traffic_sources is loaded by partitions" in said
    assert "choose them in the UI" in said


def test_a_table_loaded_in_full_keeps_its_rows_when_it_is_loaded_by_days_and_back(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    in_full = api_of(RESOURCE, Full())
    assert load(instance, api=in_full).success
    connected.today = TODAY + timedelta(days=1)
    assert load_days(instance, API, *days_of(API, connected.today)[-4:]).success
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, connected.today))
    connected.today = TODAY + timedelta(days=2)
    result = load(instance, api=in_full)
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, connected.today))
    assert "window" not in metadata_of(result, RESOURCE)


@pytest.fixture
def on_disk(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance set up as shipped, in which runs wait for each other."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        yield instance


@pytest.mark.slow
def test_a_backfill_gives_way_to_a_more_urgent_run_after_the_window_under_way(
    connected: Sandbox,
    warehouse: Warehouse,
    on_disk: dg.DagsterInstance,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look, started = a_more_urgent_run_waits, list[subprocess.Popen[bytes]]()

    def look_once_one_waits(*where: Any) -> bool:
        if not started:
            started.append(start_urgent_run(clean_place, DAYS[-4:]))
        until = time.monotonic() + PATIENCE
        while started[0].poll() is None and not look(*where) and time.monotonic() < until:
            time.sleep(0.05)
        return look(*where)

    monkeypatch.setattr(backfill, "a_more_urgent_run_waits", look_once_one_waits)
    monkeypatch.setattr(backfill, "PAUSE", 1)
    assert load_days(on_disk, API).success
    assert started[0].wait(PATIENCE) == 0
    order = [start for start, _ in windows_asked_for(connected)]
    assert order == ["2025-07-02", "2025-07-28", "2025-07-17"]
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))
    assert partition_status(on_disk) == {"MATERIALIZED": 30}


def start_urgent_run(home: Path, days: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start what a schedule starts, in a process of its own."""
    module = ["-m", "dagster", "job", "execute", "-m", "analytics_assets_tests.support.by_days"]
    tags = json.dumps({**range_tags(days), **BEFORE_BACKFILLS})
    return subprocess.Popen(
        [sys.executable, *module, "-j", JOB, "--tags", tags],
        env={**os.environ, "DAGSTER_HOME": str(home)},
        stderr=subprocess.DEVNULL,
    )


def job_by_days() -> dg.JobDefinition:
    """The job as another process would make it to carry a run on."""
    return build_definitions(API).resolve_job_def(JOB)


def test_a_run_that_is_tried_again_leaves_out_what_it_has_loaded(
    connected: Sandbox, warehouse: Warehouse, on_disk: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path=PATH, day="2025-07-31", times=None, status=403))
    job, selection = dg.reconstructable(job_by_days), [asset_key(API, RESOURCE)]
    tags = dict(range_tags(DAYS))
    with dg.execute_job(job, on_disk, asset_selection=selection, tags=tags) as first:
        assert not first.success
    connected.faults.clear()
    again = dg.ReexecutionOptions.from_failure(first.run_id, on_disk)
    tags |= {"dagster/is_resume_retry": "true"}  # as the UI and the retries of runs have it
    with dg.execute_job(job, on_disk, tags=tags, reexecution_options=again) as second:
        assert second.success
    assert windows_asked_for(connected)[1:] == [("2025-07-17", "2025-07-31")]
    events = [event.partition for event in second.get_asset_materialization_events()]
    assert events == DAYS[15:]
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))
