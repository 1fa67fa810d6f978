"""Runs of several days that read each of them by itself, over real HTTP."""

from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.metadata.names import COMPLETENESS, PASSES, REQUESTS
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import check_of, failures_of, load, table_values
from analytics_assets_tests.support.paged_server import Answer, Request, serving
from analytics_assets_tests.support.partitioned import load_days, metadata_by_day

START = date(2025, 7, 1)
DAYS = [(START + timedelta(days=number)).isoformat() for number in range(5)]
EMPTY = DAYS[2]
SITES = ("one", "two")


def numbers_of(asked: Request) -> Answer:
    """The visitors by page of a span of days as a whole, a page of rows at a time; or the sites."""
    if asked.path == "/sites":
        return Answer([{"id": site} for site in SITES])
    span = [day for day in DAYS if asked.query["from"] <= day <= asked.query["to"] != EMPTY]
    rows = [
        {"page": f"/{number}", "visitors": 10 * number + sum(int(day[-2:]) for day in span)}
        for number in range(3 if span else 0)
    ]
    offset, limit = asked.number("offset"), asked.number("limit")
    return Answer({"rows": rows[offset : offset + limit], "total": len(rows)})


def api_at(url: str, path: str, **parts: Any) -> Api:
    day = {"date": {"param": "from"}}
    entry: dict[str, Any] = {
        "name": "visitors",
        "primary_key": ["date", "page"],
        "write_disposition": "merge",
        "endpoint": {
            "path": path,
            "data_selector": "rows",
            "paginator": {"type": "offset", "limit": 2},
        },
        "rows": {"fields": day},
        "columns": {"date": {"data_type": "date"}},
    }
    sites = {"name": "sites", "endpoint": {"path": "/sites", "paginator": "single_page"}}
    if "sites" in path:
        entry |= {"primary_key": ["site", "date", "page"]}
        entry["rows"] = {"fields": {**day, "site": {"path": 1}}}
    how = Partitioned(start=START, window=Window(start_param="from", end_param="to"), **parts)
    return Api(
        name="shop",
        config={"client": {"base_url": url}, "resources": [entry, sites][: 1 + ("sites" in path)]},
        policies={"visitors": {"load": how}},
    )


def spans(requests: list[Request]) -> list[str]:
    """The spans of the requests, each once, in their order."""
    found = [f"{asked.query['from'][-2:]}-{asked.query['to'][-2:]}" for asked in requests]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("longest", "asked"),
    [
        (None, ["01-05"]),
        (1, ["01-01", "02-02", "03-03", "04-04", "05-05"]),
        (2, ["01-02", "03-04", "05-05"]),
        (9, ["01-05"]),
    ],
)
def test_a_request_is_for_as_many_days_as_the_load_says(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, longest: int | None, asked: list[str]
) -> None:
    with serving(numbers_of) as server:
        result = load_days(
            instance, api_at(server.base_url, "/numbers", longest_request=longest), *DAYS
        )
        assert result.success, failures_of(result)
        assert spans(server.requests) == asked


def test_a_run_loads_the_numbers_of_each_of_its_days(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    with serving(numbers_of) as server:
        api = api_at(server.base_url, "/numbers", longest_request=1)
        result = load_days(instance, api, *DAYS)
        details = metadata_by_day(instance, api)
        requests = len(server.requests)

    rows = table_values(Warehouse.from_settings("shop").pipeline("reader"), "visitors", "date")
    assert {(row["date"].isoformat(), row["page"]): row["visitors"] for row in rows} == {
        (day, f"/{number}"): 10 * number + int(day[-2:])
        for day in DAYS
        if day != EMPTY
        for number in range(3)
    }
    assert set(details) == set(DAYS)
    assert details[DAYS[-1]][REQUESTS] == requests
    assert details[DAYS[-1]][COMPLETENESS] == "12 of 12 rows"
    assert details[DAYS[-1]][PASSES] == 1
    for name in ("complete_read", "rows_in_window", "primary_key"):
        assert check_of(result, name).passed, check_of(result, name).description


def test_each_parent_is_asked_for_each_day(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    path = "/{resources.sites.id}/numbers?of=sites"
    with serving(numbers_of) as server:
        api = api_at(server.base_url, path, longest_request=1)
        result = load(instance, "visitors", api=api, tags=range_tags(DAYS))
        assert result.success, failures_of(result)

    rows = table_values(Warehouse.from_settings("shop").pipeline("reader"), "visitors", "date")
    assert len(rows) == len({(row["site"], row["date"], row["page"]) for row in rows}) == 2 * 4 * 3


def test_a_day_whose_read_fails_fails_the_run_and_leaves_the_table(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")

    def answer(asked: Request) -> Answer:
        return Answer({}, 500) if asked.query["from"] == DAYS[3] else numbers_of(asked)

    with serving(answer) as server:
        api = api_at(server.base_url, "/numbers", longest_request=1)
        result = load_days(instance, api, *DAYS)

    assert not result.success
    assert f"from={DAYS[3]}&to={DAYS[3]}" in str(failures_of(result))
    assert not metadata_by_day(instance, api)


def test_a_row_of_the_moment_between_two_requests_is_once_in_the_table(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    times = [f"{day}T{clock}" for day in DAYS for clock in ("00:00:00Z", "12:00:00Z")]
    rows = [{"id": time, "date": time[:10], "at": time} for time in times]

    def answer(asked: Request) -> Answer:
        first, last = asked.query["from"], asked.query["to"]
        return Answer([row for row in rows if first <= row["at"] <= last])

    window = Window(start_param="from", end_param="to", format="%Y-%m-%dT%H:%M:%SZ")
    entry: dict[str, Any] = {"name": "visits", "primary_key": "id", "write_disposition": "merge"}
    entry["endpoint"] = {"path": "/visits", "paginator": "single_page"}
    with serving(answer) as server:
        api = Api(
            name="shop",
            config={"client": {"base_url": server.base_url}, "resources": [entry]},
            policies={
                "visits": {"load": Partitioned(start=START, window=window, longest_request=1)}
            },
        )
        result = load_days(instance, api, *DAYS)

    assert result.success, failures_of(result)
    found = check_of(result, "complete_read")
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "set `resolution` of `Window`" in str(found.description)
    values = table_values(duckdb_warehouse.pipeline("test_reader"), "visits")
    assert [row["at"].strftime("%Y-%m-%dT%H:%M:%SZ") for row in values] == times
