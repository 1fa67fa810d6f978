"""The progress of a load: lines in the log of its run, and a value to look at."""

import logging
import re
from collections.abc import Iterator

import dagster as dg
import pytest

from analytics_assets.contract.resource import resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.extract.http.connection import connect
from analytics_assets.orchestration.runs.progress import ENDED, LoadProgress, logged, watched
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.sandbox import Sandbox

LASTED = re.compile(r"\b\d+(\.\d+)? s\b")
DAYS = "2025-07-02 to 2025-08-07"


def lines(instance: dg.DagsterInstance, run_id: str, resource: str) -> list[str]:
    """The lines of a resource in the log of a run, with each duration as `T`."""
    messages = [
        entry.user_message for entry in instance.all_logs(run_id) if not entry.is_dagster_event
    ]
    return [LASTED.sub("T", each) for each in messages if each.startswith(resource)]


def test_the_log_of_a_run_has_a_line_per_stage_with_its_numbers(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, "page_views")
    rows = sandbox_rows("page_views", TODAY)
    count = f"{len(rows):,} rows"
    pages = -(-len(rows) // 100)
    assert lines(instance, result.run_id, "page_views") == [
        f"page_views: reading from {connected.base_url}/v1/page_views",
        f"page_views: extracted {count} of {pages} pages in T",
        f"page_views: normalized {count} in T",
        f"page_views: loaded {count} into analytics.page_views in T",
        f"page_views: analytics.page_views has {count}, the newest of {rows[-1]['date']}; "
        "the load took T",
    ]


def test_the_partitions_of_a_run_are_named_at_the_begin_and_at_the_end(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, "website_overview")
    first, *stages, last = lines(instance, result.run_id, "website_overview")
    assert first.startswith(f"website_overview {DAYS} (37 partitions): reading from http://")
    assert last.startswith(f"website_overview {DAYS}: analytics.website_overview has ")
    assert [line.split()[:2] for line in stages] == [
        ["website_overview:", stage] for stage in ("extracted", "normalized", "loaded")
    ]


def test_requests_that_were_sent_again_are_in_the_line(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.05")
    connected.faults.add(Fault(path="/v1/page_views", status=500, times=2))
    result = load(instance, "page_views")
    line = lines(instance, result.run_id, "page_views")[1]
    assert line.endswith(" pages in T (2 requests sent again, T of pauses)")


def test_a_failed_read_leaves_a_line_with_what_had_arrived(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", status=403, offset=100, times=None))
    result = load(instance, "page_views")
    assert not result.success
    line = lines(instance, result.run_id, "page_views")[-1]
    assert line == "page_views: failed while extracting, after T and 100 of 270 rows, 1 page"


def test_those_who_run_loads_may_look_at_their_progress(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    seen = list[LoadProgress]()
    with watched(seen.append):
        result = load(instance, "page_views")
    load(instance, "page_views")
    assert result.success
    [progress] = seen
    assert (progress.name, progress.stage, progress.waits_for) == ("page_views", ENDED, "")
    assert progress.rows == len(sandbox_rows("page_views", TODAY))


@pytest.fixture
def progress() -> Iterator[LoadProgress]:
    """The progress of a load that has not begun."""
    resource = resource_of(API, "page_views")
    connection = connect({"base_url": "https://progress.example.com"}, "analytics")
    yield LoadProgress(resource, connection)
    connection.close()


def test_a_stage_that_lasts_is_a_line_every_so_often(
    progress: LoadProgress, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    progress.begin("extract")
    progress.connection.traffic.read_of("page_views").add_page(100, 12_400)
    with logged(progress, logging.getLogger("the run"), period=0.01):
        while len(caplog.messages) < 2:
            pass
    assert {LASTED.sub("T", line) for line in caplog.messages} == {
        "page_views: extracting for T: 100 of 12,400 rows, 1 page; waiting for the API's answer"
    }
    assert progress.stage == ENDED


def test_the_sentence_names_a_later_pass_and_the_holder_of_the_table(
    progress: LoadProgress,
) -> None:
    progress.begin("extract")
    read = progress.connection.traffic.read_of("page_views")
    read.add_page(100)
    read.drop_pass(100)
    assert "0 rows, 1 page; pass 2, as rows changed in the one before; wait" in progress.sentence()
    progress.wait_for("run 7, which holds the table shop.orders")
    assert progress.sentence() == (
        "page_views: waiting for run 7, which holds the table shop.orders"
    )
