"""Parameters of a load in the requests of an entry, at any place of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics_assets.config.times.window import TimeWindow, Window
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.extract.incremental.sent import at, sent
from analytics_assets_tests.extract.rows.reading import MERGED
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    drain,
    orders,
    paged,
    row,
    serving,
)

ROWS = [row(day, at=f"2026-01-{day:02}T12:00:00Z") for day in range(1, 11)]
FIRST, END = datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)
POST = {"method": "POST"}


@pytest.mark.parametrize(
    ("entry", "endpoint"),
    [
        ("orders", {"path": "orders", "params": {"day": "1"}}),
        ({"name": "orders"}, {"params": {"day": "1"}}),
        ({"name": "orders", "endpoint": "v1"}, {"path": "v1", "params": {"day": "1"}}),
        (
            {"name": "orders", "endpoint": {"path": "v1", "params": {"sort": "id"}}},
            {"path": "v1", "params": {"sort": "id", "day": "1"}},
        ),
    ],
)
def test_a_window_sets_the_parameters_of_its_resource_alone(entry: Any, endpoint: Any) -> None:
    config = {"client": {}, "resources": ["customers", entry]}
    changed = with_params(config, "orders", {"day": "1"})
    assert changed["resources"][0] == "customers"
    assert changed["resources"][1]["endpoint"] == endpoint
    assert config == {"client": {}, "resources": ["customers", entry]}


def test_the_defaults_of_the_api_stay_beside_a_window() -> None:
    endpoint = {"json": {"metrics": ["views"], "range": [{"name": "now"}]}, "headers": {"a": "b"}}
    config = {"client": {}, "resource_defaults": {"endpoint": endpoint}, "resources": ["orders"]}
    changed = with_params(config, "orders", {"json.range[0].from": 5, "headers.X-Until": "6"})
    assert changed["resources"][0]["endpoint"] == {
        "path": "orders",
        "json": {"metrics": ["views"], "range": [{"name": "now", "from": 5}]},
        "headers": {"a": "b", "X-Until": "6"},
    }
    assert changed["resource_defaults"] == {"endpoint": endpoint}


WINDOWS: dict[str, tuple[Window, dict[str, Any], Callable[[Request], Any], Any]] = {
    "two query parameters": (
        Window(start_param="from", end_param="params.json.to"),
        {"params": {"keep": "1"}},
        lambda asked: [asked.query["from"], asked.query["json.to"], asked.query["keep"]],
        ["2026-01-03", "2026-01-05", "1"],
    ),
    "one query parameter": (
        Window(params={"date": "{start},{end}", "period": "range"}),
        {},
        lambda asked: asked.query,
        {"date": "2026-01-03,2026-01-05", "period": "range", "offset": "0", "limit": "2"},
    ),
    "JSON in a query parameter": (
        Window(params={"filters": '[{"op": "between", "value": ["{start}", "{end}"]}]'}),
        {},
        at("filters"),
        '[{"op": "between", "value": ["2026-01-03", "2026-01-05"]}]',
    ),
    "JSON beside a body of the entry": (
        Window(start_param="json.dateRanges[0].startDate", end_param="json.dateRanges[0].endDate"),
        {**POST, "json": {"metrics": [{"name": "views"}]}},
        lambda asked: asked.body,
        {
            "metrics": [{"name": "views"}],
            "dateRanges": [{"startDate": "2026-01-03", "endDate": "2026-01-05"}],
        },
    ),
    "two windows in a list": (
        Window(
            params={
                "json.queries[1].span": "{start}/{end}",
                "json.queries[0].span": ["{start}", "{end}"],
            },
            end_is_inclusive=False,
        ),
        {**POST, "json": {"queries": [{"kind": "a"}]}},
        lambda asked: asked.body["queries"],
        [
            {"kind": "a", "span": ["2026-01-03", "2026-01-06"]},
            {"span": "2026-01-03/2026-01-06"},
        ],
    ),
    "numbers in JSON": (
        Window(
            start_param="json.startAt",
            end_param="json.endAt",
            format="epoch_milliseconds",
            end_is_inclusive=False,
        ),
        POST,
        lambda asked: asked.body,
        {"startAt": 1767398400000, "endAt": 1767657600000},
    ),
    "texts of numbers in JSON": (
        Window(
            start_param="json.startAt", end_param="json.endAt", format="epoch_seconds", as_text=True
        ),
        POST,
        lambda asked: asked.body,
        {"startAt": "1767398400", "endAt": "1767657600"},
    ),
    "JSON of a GET": (
        Window(start_param="json.from", end_param="json.to"),
        {},
        lambda asked: [asked.method, asked.body],
        ["GET", {"from": "2026-01-03", "to": "2026-01-05"}],
    ),
    "a form": (
        Window(start_param="data.filter[from]", end_param="data.filter[to]"),
        {**POST, "data": {"kind": "all"}},
        lambda asked: asked.form,
        {"kind": "all", "filter[from]": "2026-01-03", "filter[to]": "2026-01-05"},
    ),
    "headers": (
        Window(
            start_param="headers.X-From",
            end_param="headers.X-To",
            format="%Y-%m-%dT%H:%M:%S%z",
            timezone="Europe/Berlin",
        ),
        {"headers": {"X-Kind": "all"}},
        lambda asked: [asked.headers[name] for name in ("x-from", "x-to", "x-kind")],
        ["2026-01-03T01:00:00+0100", "2026-01-06T01:00:00+0100", "all"],
    ),
}


@pytest.mark.parametrize("where", WINDOWS)
def test_a_window_is_sent_with_each_page_wherever_it_belongs(where: str) -> None:
    window, given, value, expected = WINDOWS[where]
    span = TimeWindow(FIRST, END, window)
    with serving(paged(ROWS[2:5])) as server:
        config = {"client": {"base_url": server.base_url}, "resources": [orders(MERGED, **given)]}
        source = rest_api_source(with_params(config, "orders", span.params), "shop")
        found = drain(source.resources["orders"])
    assert found.rows == ROWS[2:5]
    assert len(server.requests) > 1
    assert value(server.requests[0]) == expected
    without_offset = {
        str({**sent(asked), "params": None, "headers": None}) for asked in server.requests
    }
    assert len(without_offset) == 1


def test_a_child_gets_the_window_beside_the_value_of_its_parent() -> None:
    window = Window(start_param="json.span[0]", end_param="json.span[1]")
    child = {
        "name": "lines",
        "endpoint": {
            "path": "orders/{resources.orders.id}/lines",
            **POST,
            "json": {"order": "{resources.orders.id}", "fixed": True},
            "data_selector": "data",
            "paginator": {
                "type": "offset",
                "limit": 2,
                "offset_param": "json.from.offset",
                "limit_param": "json.limit",
            },
        },
    }

    def answer(asked: Request) -> Answer:
        if asked.method == "GET":
            return paged(ROWS[:2])(asked)
        order = asked.body["order"]
        return Answer({"data": [row(10 * order)][asked.body["from"]["offset"] :], "total": 1})

    with serving(answer) as server:
        config = {"client": {"base_url": server.base_url}, "resources": [orders(MERGED), child]}
        params = TimeWindow(FIRST, END, window).params
        source = rest_api_source(with_params(config, "lines", params), "shop")
        assert [each["id"] for each in drain(source.resources["lines"]).rows] == [10, 20]
    asked = [each.body for each in server.requests if each.method == "POST"]
    [first, second] = [body for body in asked if body["from"]["offset"] == 0]
    assert first == {
        "order": 1,
        "fixed": True,
        "span": ["2026-01-03", "2026-01-05"],
        "from": {"offset": 0},
        "limit": 2,
    }
    assert second == {**first, "order": 2}
