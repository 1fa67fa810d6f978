"""A right configuration is found right: no alarm, whatever the paginator, size and movement."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics_assets.cli.commands.check.resource_check import Outcome, check_resource
from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets_tests.support.paged_server import Answer, Request, serving

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
CAP = 100
Rows = list[dict[str, Any]]
# the rows as they are at each request
Data = Callable[[int], Rows]


def rows(count: int) -> Rows:
    return [{"id": number, "kind": "order"} for number in range(count)]


def check(answers: Callable[[Request], Answer], paginator: Any, **endpoint: Any) -> Outcome:
    with serving(answers) as server:
        given = {"path": "/orders", "data_selector": "data", **endpoint}
        if paginator:
            given["paginator"] = paginator
        entry = {"name": "orders", "primary_key": "id", "endpoint": given}
        config: Any = {"client": {"base_url": server.base_url}, "resources": [entry]}
        resource = resource_of(Api(name="shop", config=config), "orders")
        found = check_resource(resource, connect(config["client"], "shop"), NOW)
        assert len(server.requests) <= 2
    return found


class Pages:
    """An API that pages in all ways at once, over rows that may move between two requests."""

    def __init__(self, data: Data, kind: str, with_total: bool) -> None:
        self.data, self.kind, self.with_total = data, kind, with_total
        self.requests = 0

    def __call__(self, asked: Request) -> Answer:
        found = self.data(self.requests)
        self.requests += 1
        start = asked.number("offset") or max(0, asked.number("page", 1) - 1) * CAP
        start = (asked.body or {}).get("offset", start)
        start = int(asked.query.get("cursor", f"c{start}")[1:])
        end = start + min(CAP, asked.number("limit", CAP))
        body: dict[str, Any] = {"data": found[start:end]}
        body |= {"total": len(found)} if self.with_total else {}
        has_more, headers = end < len(found), {}
        if self.kind == "cursor":
            body["next_cursor"] = f"c{end}" if has_more else None
        elif self.kind == "last_id":
            body |= {"has_more": has_more}
        elif self.kind == "link":
            body["next"] = f"/orders?offset={end}" if has_more else None
        elif self.kind == "header" and has_more:
            headers = {"Link": f'</orders?offset={end}>; rel="next"'}
        return Answer(body, headers=headers)


PAGINATORS: dict[str, tuple[str, Any]] = {
    "offset": ("", {"type": "offset", "limit": 100}),
    "offset, total named": ("", {"type": "offset", "limit": 100, "total_path": "total"}),
    "offset, until empty": ("", {"type": "offset", "limit": 100, "total_path": None}),
    "offset, flag": ("last_id", {"type": "offset", "limit": 100, "has_more_path": "has_more"}),
    "page": ("", {"type": "page_number", "base_page": 1, "total_path": None}),
    "cursor": ("cursor", {"type": "cursor", "cursor_path": "next_cursor"}),
    "link": ("link", {"type": "json_link", "next_url_path": "next"}),
    "link, detected": ("link", None),
    "header": ("header", "header_link"),
    "header, detected": ("header", "auto"),
}
NEEDS_TOTAL = ("offset, total named",)
SIZES = {"last page short": 130, "one page": 42, "many pages": 730, "empty": 0, "one row": 1}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("with_total", [True, False])
@pytest.mark.parametrize("name", PAGINATORS)
def test_a_right_configuration_has_no_warning(name: str, with_total: bool, size: str) -> None:
    kind, paginator = PAGINATORS[name]
    pages = Pages(lambda _: rows(SIZES[size]), kind, with_total or name in NEEDS_TOTAL)
    found = check(pages, paginator)
    assert found.warnings == []
    assert "on the first" in found.text


@pytest.mark.parametrize(
    "data",
    [
        lambda asked: [{"id": -1 - asked, "kind": "new"}] * (asked > 0) + rows(300),
        lambda asked: rows(300)[asked:],
        lambda asked: rows(300 + asked),
        lambda asked: [{**row, "kind": str(asked)} for row in rows(300)],
        lambda asked: rows(100 + asked),
    ],
    ids=["a row is added in front", "the first one is deleted", "one is added", "restated", "full"],
)
@pytest.mark.parametrize("name", PAGINATORS)
def test_rows_that_move_between_the_requests_are_no_alarm(name: str, data: Data) -> None:
    kind, paginator = PAGINATORS[name]
    found = check(Pages(data, kind, with_total=True), paginator)
    assert found.warnings == []


def test_a_list_of_one_page_without_paging_is_right() -> None:
    found = check(lambda _: Answer(rows(37)), "single_page", data_selector=None)
    assert found.text == "37 rows on the first page; there is no second"


def test_one_object_is_right() -> None:
    found = check(lambda _: Answer({"id": 1, "total": 7}), "single_page", data_selector="$")
    assert found.text.startswith("1 row on the first page")


def test_a_selector_that_filters_counts_no_rows() -> None:
    def answer(asked: Request) -> Answer:
        start = asked.number("offset")
        found = [{"id": number, "kind": "ab"[number % 2]} for number in range(start, start + CAP)]
        return Answer({"data": found if start < 300 else [], "total": 300})

    found = check(answer, "single_page", data_selector="data[?(@.kind=='a')]")
    assert found.warnings == []


def test_an_offset_in_the_body_is_right() -> None:
    paginator = {"type": "offset", "limit": 100}
    paginator |= {"offset_param": "json.offset", "limit_param": "json.limit"}
    pages = Pages(lambda _: rows(250), "", with_total=True)
    found = check(pages, paginator, method="POST", json={"report": "orders"})
    assert found.warnings == []
    assert "(json.offset=100); next is json.offset=200, total 250" in found.text
    assert found.asked.startswith("POST ")
    assert '"report": "orders"' in found.asked
