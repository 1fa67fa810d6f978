"""A wrong configuration is found by two pages, with a sentence that names what to change."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from dlt.extract.exceptions import ResourceExtractionError

from analytics_assets.cli.commands.check.resource_check import CheckError, check_resource
from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.incremental.window_check import WindowIgnoredError
from analytics_assets_tests.cli.commands.check.apis import (
    ROWS,
    bare,
    by_body,
    by_change,
    by_cursor,
    by_offset,
    by_page,
    cursor,
    flag,
    links,
    page_total,
    total,
)
from analytics_assets_tests.support.paged_server import Answer, Answers, orders, serving

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass
class Case:
    """A wrong configuration.

    Args:
        name: it in words.
        answers: the API.
        paginator: of the entry; None for none.
        says: parts of the sentence.
        entry: other parts of the entry.
        endpoint: other parts of its endpoint.
        policy: of the resource.
        may_be_right: True if the sentence is a warning.
    """

    name: str
    answers: Answers
    paginator: Any
    says: tuple[str, ...]
    entry: dict[str, Any] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=dict)
    policy: PolicyEntry = field(default_factory=lambda: PolicyEntry())
    may_be_right: bool = False


OFFSET = {"type": "offset", "limit": 100}
PAGE = {"type": "page_number", "base_page": 1, "stop_after_empty_page": True, "total_path": None}
CURSOR = {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "cursor"}
BY_DAY = Partitioned(start=date(2026, 1, 1), lookback=0)
BY_CHANGE = Incremental(initial_value="2025-01-01T00:00:00Z")

CASES = [
    Case(
        "the offset has another name",
        by_offset(total, "skip"),
        OFFSET,
        ("second page (offset=100) has the rows of the first", "ignore `offset`", "`offset_param`"),
    ),
    Case(
        "the page has another name",
        by_page(bare, name="p"),
        PAGE,
        ("second page (page=2) has the rows of the first", "ignore `page`", "`page_param`"),
    ),
    Case(
        "the first page is 1, not 0",
        by_page(bare),
        {**PAGE, "base_page": 0},
        ("second page (page=1) has the rows of the first one", "`base_page` to 1"),
    ),
    Case(
        "the cursor has another name",
        by_cursor(cursor, "after"),
        CURSOR,
        ("ignore `cursor`", "`cursor_param`"),
    ),
    Case(
        "the cursor is at another path",
        by_cursor(cursor),
        {**CURSOR, "cursor_path": "paging.next"},
        ("would end after the first page", '"cursor_path": "next_cursor"'),
    ),
    Case(
        "the link is that of the page itself",
        by_offset(links),
        {"type": "json_link", "next_url_path": "links.self"},
        ("has the rows of the first one", "`next_url_path`", "in place of `links.self`"),
    ),
    Case(
        "the link is at another path",
        by_offset(links),
        {"type": "json_link", "next_url_path": "paging.next"},
        ("would end after the first page", '"next_url_path": "links.next"'),
    ),
    Case(
        "a link in the body is looked for in the header",
        by_offset(links),
        "header_link",
        ("would end after the first page", '"type": "json_link"'),
    ),
    Case(
        "a single page, with a flag for more",
        by_offset(flag),
        "single_page",
        ("would end after the first page", "`has_more`", "`paginator`"),
    ),
    Case(
        "a single page of a total",
        by_offset(total),
        "single_page",
        ("would end after the first page, with 100 of 250 rows", "`paginator`"),
    ),
    Case(
        "no paginator, and a full page",
        by_offset(bare),
        None,
        ("the first page, which is full (100 rows)", "`paginator`"),
        may_be_right=True,
    ),
    Case(
        "a single page of the size that is asked for",
        by_offset(bare),
        "single_page",
        ("the first page, which is full (90 rows)", "`paginator`"),
        endpoint={"params": {"limit": 90}},
        may_be_right=True,
    ),
    Case(
        "the API cuts the limit",
        by_offset(total),
        {**OFFSET, "limit": 1000},
        ("cuts pages at 100 rows", "`limit` in `paginator`", "1,000"),
        may_be_right=True,
    ),
    Case(
        "the limit has another name",
        by_offset(total, size="count"),
        {**OFFSET, "limit": 50},
        ("first page has 100 rows", "`limit` in `paginator` (sent as `limit`) asks for 50"),
        may_be_right=True,
    ),
    Case(
        "the total counts the page",
        by_offset(page_total),
        {**OFFSET, "total_path": "total"},
        ("total is 100, but 200 rows", "`total_path`"),
    ),
    Case(
        "the total is nowhere",
        by_offset(total),
        {**OFFSET, "total_path": "meta.count"},
        ("nothing at `meta.count`", "`total_path`"),
        may_be_right=True,
    ),
    Case(
        "the offset counts pages",
        by_page(total, base=0),
        {**OFFSET, "offset_param": "page"},
        ("second page (page=100) has no rows", "total is 250", "`page_number`"),
    ),
    Case(
        "the offset counts pages, without a total",
        by_page(bare, base=0),
        {**OFFSET, "offset_param": "page"},
        ("first page is full (100 rows) and the second (page=100) is empty", "`page_number`"),
        may_be_right=True,
    ),
    Case(
        "the page counts rows",
        by_offset(bare, "page"),
        {**PAGE, "base_page": 0},
        ("99 of the 100 rows of the second page were on the first", '"type": "offset"'),
    ),
    Case(
        "the key has another name",
        by_offset(total),
        OFFSET,
        ("none has a value in `uuid`", "`primary_key`", "`kind`"),
        entry={"primary_key": "uuid"},
    ),
    Case(
        "the key is that of many rows",
        by_offset(total),
        OFFSET,
        ("99 of the 100 rows on the first page have the key of another row", "`primary_key`"),
        entry={"primary_key": "kind"},
    ),
    Case(
        "the offset is to be in the body",
        by_body,
        OFFSET,
        ("has the rows of the first one", "ignore `offset`", "`offset_param`"),
        endpoint={"method": "POST", "json": {"report": "orders"}},
    ),
    Case(
        "the window has other names",
        by_offset(total),
        OFFSET,
        ("ignore `start_date` and `end_date`", "`window`"),
        policy={"load": BY_DAY},
    ),
    Case(
        "the parameter for changes has another name",
        by_change("since"),
        OFFSET,
        ("for updated_since=2026-01-31T00:00:00Z changed before that", "`param` of `Incremental`"),
        policy={"load": BY_CHANGE},
    ),
    Case(
        "the time of a change is that of another field",
        by_change("updated_since"),
        OFFSET,
        ("none has a value in `changed_at`", "`field` of `Incremental`"),
        policy={"load": Incremental(field="changed_at", initial_value="2025-01-01")},
    ),
    Case(
        "the rows are in another field",
        by_offset(lambda rows, _start, _end: {"data": [], "items": rows, "total": len(ROWS)}),
        OFFSET,
        ("the first page has no rows, although its total is 250", "`data_selector`"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_configuration_is_found(case: Case) -> None:
    with serving(case.answers) as server:
        endpoint = {"path": "/orders", "data_selector": "data", **case.endpoint}
        if case.paginator:
            endpoint["paginator"] = case.paginator
        given = {"name": "orders", "primary_key": "id", "write_disposition": "merge"}
        entry = {**given, **case.entry, "endpoint": endpoint}
        config: Any = {"client": {"base_url": server.base_url}, "resources": [entry]}
        api = Api(name="shop", config=config, policies={"orders": case.policy})
        connection = connect(config["client"], "shop")
        resource = resource_of(api, "orders")
        if case.may_be_right:
            text = "; ".join(check_resource(resource, connection, NOW).warnings)
        else:
            with pytest.raises((CheckError, WindowIgnoredError)) as found:
                check_resource(resource, connection, NOW)
            text = str(found.value)
    for part in case.says:
        assert part in text
    assert len(server.requests) <= 3


@pytest.mark.parametrize("body", [{"orders": [{"id": 1}]}, {"orders": {"a": {"id": 1}}}, {}])
def test_a_page_with_nothing_in_the_place_of_its_rows_fails_as_a_load_does(body: Any) -> None:
    with serving(lambda _: Answer(body)) as server:
        client: Any = {"base_url": server.base_url}
        config: Any = {"client": client, "resources": [orders()]}
        resource = resource_of(Api(name="shop", config=config), "orders")
        wrong = r"no `data` in its body.*`data_selector`"
        with pytest.raises(ResourceExtractionError, match=wrong):
            check_resource(resource, connect(client, "shop"), NOW)
