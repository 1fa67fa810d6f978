"""Parameters at other places than the query are checked like those of the query."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics_assets.cli.commands.check.resource_check import CheckError, check_resource
from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Incremental, Load, Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.window_check import WindowIgnoredError
from analytics_assets_tests.support.paged_server import Answer, Request, orders, serving

NOW = datetime(2026, 1, 11, 12, tzinfo=UTC)
ROWS = [
    {"id": day, "date": f"2026-01-{day:02}", "at": f"2026-01-{day:02}T12:00:00Z"}
    for day in range(1, 11)
]
OFFSET = {"type": "offset", "limit": 2, "offset_param": "json.offset", "limit_param": "json.limit"}


def answer(asked: Request) -> Answer:
    """Answer as an API whose parameters are all in the JSON body."""
    body = asked.body or {}
    first, last = body.get("range", ["", "9999"])
    rows = [row for row in ROWS if first <= str(row["date"]) <= last]
    rows = [row for row in rows if str(row["at"]) >= body.get("filter", {}).get("since", "")]
    offset = body.get("offset", 0)
    return Answer({"data": rows[offset : offset + body.get("limit", 5)]})


def check(load: Load, paginator: dict[str, Any] = OFFSET) -> tuple[str, list[Request]]:
    with serving(answer) as server:
        endpoint = {"method": "POST", "json": {"kind": "all"}, "paginator": paginator}
        entry = orders({"write_disposition": "merge"}, **endpoint)
        config: Any = {"client": {"base_url": server.base_url}, "resources": [entry]}
        api = Api(name="shop", config=config, policies={"orders": {"load": load}})
        found = check_resource(resource_of(api, "orders"), connect(config["client"], "shop"), NOW)
    return found.text, server.requests


def by_day(start: str, end: str) -> Partitioned:
    return Partitioned(start=date(2026, 1, 1), window=Window(start_param=start, end_param=end))


def test_the_window_of_the_newest_partitions_is_asked_for_and_shown_by_its_places() -> None:
    text, requests = check(by_day("json.range[0]", "json.range[1]"))
    span = ["2026-01-07", "2026-01-10"]
    assert "json.range[0]=2026-01-07, json.range[1]=2026-01-10" in text
    assert "none of them outside" in text
    assert [asked.body for asked in requests[:2]] == [
        {"kind": "all", "range": span, "offset": 0, "limit": 2},
        {"kind": "all", "range": span, "offset": 2, "limit": 2},
    ]


def test_an_ignored_window_is_found() -> None:
    with pytest.raises(WindowIgnoredError, match=r"seems to ignore `json.from` and `json.to`"):
        check(by_day("json.from", "json.to"))


def test_an_incremental_load_asks_for_changes_at_its_place() -> None:
    load = Incremental(param="json.filter.since", field="at", initial_value="2026-01-05T00:00:00Z")
    text, requests = check(load)
    assert "json.filter.since=2026-01-05T00:00:00Z" in text
    assert requests[0].body["filter"] == {"since": "2026-01-05T00:00:00Z"}


@pytest.mark.parametrize(
    "parts",
    [{"param": "json.since"}, {"params": {"json.since": "at>={start}", "json.kind2": "all"}}],
)
def test_an_ignored_cursor_is_found(parts: dict[str, Any]) -> None:
    load = Incremental(field="at", initial_value="2026-01-05T00:00:00Z", **parts)
    with pytest.raises(CheckError, match=r"the API seems to ignore `json\.since`"):
        check(load)


def test_a_wrong_offset_is_found() -> None:
    with pytest.raises(CheckError, match=r"the API seems to ignore `json\.page\.offset`"):
        check(Full(), {**OFFSET, "offset_param": "json.page.offset"})
