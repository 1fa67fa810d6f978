"""Sampled windows of a partitioned load: requested in halves, down to one day, over real HTTP."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.metadata.names import (
    ANSWERS,
    ANSWERS_SAMPLED,
    COMPLETENESS,
    PAGES_BY_DLT,
    PASSES,
    REQUESTS,
    ROWS_EXPECTED,
    ROWS_RECEIVED,
    WINDOWS_HALVED,
    WINDOWS_SAMPLED,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import check_of, failures_of, table_rows
from analytics_assets_tests.support.orders import document_of
from analytics_assets_tests.support.paged_server import Answer, Request, serving
from analytics_assets_tests.support.partitioned import load_days, metadata_by_day

START = date(2025, 7, 1)
DAYS = [(START + timedelta(days=number)).isoformat() for number in range(8)]
BY_QUERY = Window(start_param="from", end_param="to")
BY_BODY = Window(start_param="json.dateRanges[0].startDate", end_param="json.dateRanges[0].endDate")
BY_ONE = Window(params={"span": "{start},{end}"})
PAGED: dict[str, Any] = {"type": "offset", "limit": 2}
PAGED_IN_BODY = {**PAGED, "offset_param": "json.offset", "limit_param": "json.limit"}
Sampled = Callable[[str, str], bool]


def longer_than(days: int, *always: str) -> Sampled:
    """Sample spans of more days than some, and those of some days in any case."""

    def is_sampled(start: str, end: str) -> bool:
        span = date.fromisoformat(end) - date.fromisoformat(start)
        return span.days + 1 > days or any(start <= day <= end for day in always)

    return is_sampled


def span_of(asked: Request) -> tuple[str, str]:
    if asked.content:
        [dates] = asked.body["dateRanges"]
        return dates["startDate"], dates["endDate"]
    if "span" in asked.query:
        start, _, end = asked.query["span"].partition(",")
        return start, end
    return asked.query["from"], asked.query["to"]


def report(is_sampled: Sampled, per_day: int = 2) -> Callable[[Request], Answer]:
    """An API with a row per day and country; the numbers of a sampled answer are estimates."""

    def answer(asked: Request) -> Answer:
        start, end = span_of(asked)
        estimated = is_sampled(start, end)
        found = [
            {"id": f"{day}-{number}", "date": day, "views": -1 if estimated else number}
            for day in DAYS
            if start <= day <= end
            for number in range(per_day)
        ]
        paging = asked.body if asked.content else asked.query
        offset, limit = int(paging["offset"]), int(paging["limit"])
        meta = {"samples": [{"read": "10"}] if estimated else []}
        page = {"data": found[offset : offset + limit], "total": len(found), "meta": meta}
        return Answer(page)

    return answer


def api_at(url: str, window: Window = BY_QUERY, **policy: Any) -> Api:
    endpoint: dict[str, Any] = {"path": "/report", "data_selector": "data", "paginator": PAGED}
    if window is BY_BODY:
        body = {"metrics": ["views"], "dateRanges": [{"name": "span"}]}
        endpoint |= {"method": "POST", "json": body, "paginator": PAGED_IN_BODY}
    entry = {
        "name": "views",
        "primary_key": "id",
        "write_disposition": "merge",
        "answer_quality": {"sampled": "meta.samples"},
        "endpoint": endpoint,
    }
    load = Partitioned(start=START, window=window)
    config = {"client": {"base_url": url}, "resources": [entry]}
    return Api(name="shop", config=config, policies={"views": {"load": load, **policy}})  # type: ignore[typeddict-item]


def loaded(
    instance: dg.DagsterInstance,
    is_sampled: Sampled,
    window: Window = BY_QUERY,
    days: list[str] = DAYS,
    **policy: Any,
) -> tuple[dg.ExecuteInProcessResult, dict[str, Any], list[tuple[str, str]]]:
    """Load some days: the run, the metadata of the last day, and the spans of all requests."""
    with serving(report(is_sampled)) as server:
        api = api_at(server.base_url, window, **policy)
        result = load_days(instance, api, *days)
        assert result.success, failures_of(result)
        spans = [span_of(asked) for asked in server.requests]
    return result, metadata_by_day(instance, api)[days[-1]], spans


def spans_without_repetition(spans: list[tuple[str, str]]) -> list[str]:
    names = [f"{start[-2:]}-{end[-2:]}" for start, end in spans]
    return list(dict.fromkeys(names))


def views() -> list[int]:
    return [row["views"] for row in table_rows(Warehouse.from_settings("shop"), "views")]


@pytest.mark.parametrize("window", [BY_QUERY, BY_BODY, BY_ONE])
def test_a_sampled_window_is_requested_in_halves_until_no_answer_is_sampled(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, window: Window
) -> None:
    result, details, spans = loaded(instance, longer_than(2), window)

    asked = ["01-08", "01-04", "01-02", "03-04", "05-08", "05-06", "07-08"]
    assert spans_without_repetition(spans) == asked
    assert views() == [0, 1] * 8
    assert details[WINDOWS_HALVED] == [
        "2025-07-01 to 2025-07-08",
        "2025-07-01 to 2025-07-04",
        "2025-07-05 to 2025-07-08",
    ]
    assert WINDOWS_SAMPLED not in details
    assert details[REQUESTS] == len(spans)
    assert (details[ROWS_RECEIVED], details[ROWS_EXPECTED], details[PASSES]) == (16, 16, 1)
    assert details[COMPLETENESS] == "16 of 16 rows"
    assert (details[ANSWERS_SAMPLED], details[PAGES_BY_DLT]) == (0, 0)
    check = check_of(result, "answer_quality")
    assert check.passed
    assert f"None of {details[ANSWERS]} answers is sampled. 3 windows were sampled, and" in str(
        check.description
    )
    for name in ("complete_read", "rows_in_window", "partition_rows", "primary_key"):
        assert check_of(result, name).passed


def test_a_day_that_is_sampled_alone_is_loaded_and_named(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result, details, _ = loaded(instance, longer_than(8, DAYS[2]))

    assert views() == [0, 1] * 2 + [-1, -1] + [0, 1] * 5
    assert details[WINDOWS_SAMPLED] == [DAYS[2]]
    assert details[WINDOWS_HALVED][-1] == "2025-07-03 to 2025-07-04"
    check = check_of(result, "answer_quality")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"Sampled even so, and loaded: {DAYS[2]}." in str(check.description)
    assert check_of(result, "complete_read").passed


def test_a_sampled_window_is_taken_by_policy_and_where_it_is_one_day(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    _, details, spans = loaded(instance, longer_than(2), sampled_window="take")
    assert spans_without_repetition(spans) == ["01-08"]
    assert set(views()) == {-1}
    assert (details[ANSWERS], details[ANSWERS_SAMPLED]) == (8, 8)
    assert WINDOWS_HALVED not in details

    result, details, spans = loaded(instance, longer_than(0), days=DAYS[:1])
    assert spans_without_repetition(spans) == ["01-01"]
    assert details[WINDOWS_SAMPLED] == DAYS[:1]
    text = str(check_of(result, "answer_quality").description)
    assert text.startswith("1 of 1 answer is sampled: ")


def test_a_sampled_window_ends_with_its_first_sampled_page(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")
    _, _, spans = loaded(instance, longer_than(4))

    assert spans.count((DAYS[0], DAYS[7])) == 1
    assert spans.count((DAYS[0], DAYS[3])) == 5  # the last page is full


def test_a_row_that_comes_in_both_halves_is_once_in_the_table(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    fields = {"id": {"type": "string"}, "date": {"type": "string", "format": "date"}}
    openapi = document_of(tmp_path / "openapi.json", fields, ["id", "date"], "/report")

    def with_the_day_before(asked: Request) -> Answer:
        if asked.path != "/report":  # of the document
            return Answer({}, status=404)
        start, end = span_of(asked)
        earlier = (date.fromisoformat(start) - timedelta(days=1)).isoformat()
        asked.query |= {"from": earlier, "to": end}
        return report(longer_than(5))(asked)

    with serving(with_the_day_before) as server:
        api = replace(api_at(server.base_url), openapi=openapi)
        result = load_days(instance, api, *DAYS)

    assert result.success
    assert len(table_rows(Warehouse.from_settings("shop"), "views")) == 16
    assert check_of(result, "primary_key").passed
    check = check_of(result, "complete_read")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "2 of them have the key of another row" in str(check.description)


def test_other_parts_of_the_request_are_those_of_the_entry(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    with serving(report(longer_than(4))) as server:
        load_days(instance, api_at(server.base_url, BY_BODY), *DAYS)
        bodies = [json.loads(asked.content) for asked in server.requests]

    assert {body["metrics"][0] for body in bodies} == {"views"}
    assert {body["dateRanges"][0]["name"] for body in bodies} == {"span"}
