"""Cursors of `Incremental` at any place of a request."""

from dataclasses import replace
from typing import Any

import pytest

from analytics_assets.config.load import Incremental
from analytics_assets.config.times.timestamps import parse_timestamp, read_time
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.incremental.sent import at
from analytics_assets_tests.extract.incremental.shop import KEYED
from analytics_assets_tests.extract.rows.reading import MERGED
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    orders,
    paged,
    row,
    serving,
)

ROWS = [row(day, at=f"2026-01-{day:02}T12:00:00Z") for day in range(1, 11)]
POST = {"method": "POST"}


CURSORS: dict[str, tuple[Incremental, dict[str, Any], Any]] = {
    "JSON": (
        Incremental(param="json.filter.after[0]", field="at", initial_value="2026-01-04T00:00:00Z"),
        {**POST, "json": {"filter": {"kind": "all"}}},
        "2026-01-04T00:00:00Z",
    ),
    "number in JSON": (
        Incremental(
            param="json.after",
            field="at",
            initial_value="2026-01-04T00:00:00Z",
            format="epoch_milliseconds",
        ),
        POST,
        1767484800000,
    ),
    "text of a number in JSON": (
        Incremental(
            param="json.after",
            field="at",
            initial_value="2026-01-04T00:00:00Z",
            format="epoch_seconds",
            as_text=True,
        ),
        POST,
        "1767484800",
    ),
    "a part of a text": (
        Incremental(
            params={"$filter": "kind eq '{a}' and at ge {start}", "json.keep": ["{x}", 5]},
            field="at",
            initial_value="2026-01-04T00:00:00Z",
        ),
        POST,
        "kind eq '{a}' and at ge 2026-01-04T00:00:00Z",
    ),
    "form": (
        Incremental(param="data.since", field="at", initial_value="2026-01-04"),
        {**POST, "data": {"kind": "all"}},
        "2026-01-04",
    ),
    "header": (
        Incremental(param="headers.X-Since", field="at", initial_value="2026-01-04"),
        {},
        "2026-01-04",
    ),
    "query of a prefixed name": (
        Incremental(param="params.json.since", field="at", initial_value="2026-01-04"),
        {},
        "2026-01-04",
    ),
}


@pytest.mark.parametrize("where", CURSORS)
def test_a_cursor_is_sent_wherever_it_belongs_and_moves(
    where: str, duckdb_warehouse: Warehouse
) -> None:
    load, given, first = CURSORS[where]
    name = next(iter(load.templates))
    form = load.format  # of the parameter; the rows have ISO times

    def answer(asked: Request) -> Answer:
        value = at(name)(asked)
        if isinstance(value, str):
            value = value.rpartition(" ")[2]
        start = read_time(value, form) if form else parse_timestamp(value)
        assert start
        return paged([each for each in ROWS if str(each["at"]) >= start.isoformat()])(asked)

    pipeline = duckdb_warehouse.pipeline("test")
    starts = []
    for _ in range(2):
        with serving(answer) as server:
            config: dict[str, Any] = {
                "client": {"base_url": server.base_url},
                "resources": [orders(MERGED, **given)],
            }
            connection = connect(config["client"], "shop")
            cursors = {"orders": Cursor(load, KEYED)}
            source = rest_api_source(config, "shop", connection, {"orders": KEYED}, cursors)
            pipeline.extract(source, loader_file_format="parquet")
        starts.append({repr(at(name)(asked)) for asked in server.requests})
    assert starts[0] == {repr(first)}
    assert len(starts[1]) == 1
    assert starts[1] != starts[0]


@pytest.mark.parametrize("where", ["number in JSON", "a part of a text", "form", "header"])
def test_the_children_of_all_parents_get_the_start_there(
    where: str, duckdb_warehouse: Warehouse
) -> None:
    load, given, first = CURSORS[where]
    name = next(iter(load.templates))
    lines = {
        "name": "lines",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {
            "path": "orders/{resources.orders.id}/lines",
            "paginator": "single_page",
            "data_selector": "data",
            **given,
        },
    }

    def answer(asked: Request) -> Answer:
        if asked.path == "/orders":
            return paged(ROWS[:3])(asked)
        order = int(asked.path.split("/")[2])
        return Answer({"data": [row(order, at=f"2026-01-1{order}T00:00:00Z")]})

    with serving(answer) as server:
        config = {"client": {"base_url": server.base_url}, "resources": [orders(MERGED), lines]}
        contract = replace(KEYED, resource="lines")
        cursors = {"lines": Cursor(load, contract)}
        source = rest_api_source(config, "shop", None, {"lines": contract}, cursors)
        pipeline = duckdb_warehouse.pipeline("test")
        pipeline.extract(source.with_resources("lines"), loader_file_format="parquet")
    asked = [each for each in server.requests if each.path != "/orders"]
    assert [at(name)(each) for each in asked] == [first] * 3
