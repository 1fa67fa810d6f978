"""Rows of the table `load_health`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from analytics_assets.orchestration.load_health.attempts import FAILED, Attempt
from analytics_assets.orchestration.load_health.rows import row_of
from analytics_assets.orchestration.metadata import names
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.queries.load_health import COLUMNS, LOADED

START = datetime(2026, 1, 31, 23, 59, 30, tzinfo=UTC)


def row(
    attempt: Attempt | None = None, tags: Mapping[str, str] | None = None, **metadata: Any
) -> dict[str, Any]:
    end = START + timedelta(seconds=90)
    loaded = Attempt("orders", 1, START, end, LOADED, metadata=metadata)
    run = dg.DagsterRun(job_name="loads", run_id="1", tags=tags or {})
    return row_of("shop", run, attempt or loaded)


def test_a_row_has_the_columns_of_the_table() -> None:
    assert row().keys() == COLUMNS.keys()


def test_numbers_of_a_load_are_those_of_its_metadata() -> None:
    metadata: dict[str, Any] = {
        names.ROWS_LOADED: 7,
        names.ROWS_RECEIVED: 8,
        names.ROWS_REJECTED: 1,
        names.ROW_COUNT: 90,
        names.REQUESTS: 3,
        names.RETRIES: 1,
        names.SECONDS_WAITING: 0.25,
        names.BYTES_RECEIVED: 4000,
        names.PAGES_TYPED: 2,
        names.PAGES_BY_DLT: 0,
        names.COMPLETE: True,
        names.NEWEST_DATA: "2026-01-30",
        names.UNKNOWN_FIELDS: {"b": "text", "a": "bigint"},
        names.ABSENT_FIELDS: [],
        names.LOAD_ID: "1769903970.5",
    }

    found = row(**metadata)

    assert found == {
        "api": "shop",
        "resource": "orders",
        "outcome": "loaded",
        "started_at": START,
        "day": date(2026, 1, 31),
        "seconds": 90.0,
        "rows_loaded": 7,
        "rows_received": 8,
        "rows_rejected": 1,
        "rows_in_table": 90,
        "newest_data": "2026-01-30",
        "first_partition": None,
        "last_partition": None,
        "partitions": None,
        "complete": True,
        "requests": 3,
        "retries": 1,
        "seconds_waiting": 0.25,
        "bytes_received": 4000,
        "unknown_fields": "a, b",
        "absent_fields": None,
        "pages_typed": 2,
        "pages_by_dlt": 0,
        "error": None,
        "requested_by": "Dagster",
        "run_id": "1",
        "attempt": 1,
        "load_id": "1769903970.5",
    }


def test_partitions_of_a_failed_load_are_those_that_its_run_was_to_load() -> None:
    failed = Attempt("orders", 2, START, None, FAILED, error="no")

    window = row(failed, range_tags(["2026-01-01", "2026-01-02"]))
    single = row(failed, {"dagster/partition": "2026-01-03"})

    assert (window["first_partition"], window["last_partition"]) == ("2026-01-01", "2026-01-02")
    assert (single["first_partition"], single["last_partition"]) == ("2026-01-03", "2026-01-03")
    assert (window["partitions"], window["attempt"], window["error"]) == (None, 2, "no")


def test_partitions_of_a_load_are_those_that_it_materialized() -> None:
    days = {"2026-01-02", "2026-01-01", "2026-01-03"}
    loaded = Attempt("orders", 1, START, START, LOADED, partitions=days)

    found = row(loaded, range_tags(["2026-01-01", "2026-01-31"]))

    assert (found["first_partition"], found["last_partition"]) == ("2026-01-01", "2026-01-03")
    assert found["partitions"] == 3


def test_a_row_names_what_requested_its_run_also_in_an_older_history() -> None:
    assert row(None, {"requested_by": "shop_daily"})["requested_by"] == "shop_daily"
    assert row(None, {"dagster/schedule_name": "shop_cron"})["requested_by"] == "shop_cron"


def test_no_text_holds_a_secret() -> None:
    redact.add("hunter2-hunter2")
    failed = Attempt("orders", 1, START, None, FAILED, error="no answer to hunter2-hunter2")

    assert row(failed)["error"] == "no answer to ***"
