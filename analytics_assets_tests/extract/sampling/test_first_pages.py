"""The first pages of a resource: each is requested once, and no more of them than are needed."""

from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import ResponseError
from analytics_assets.extract.sampling.first_pages import FirstPages, read_first_pages
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    PagedServer,
    Request,
    in_turn,
    orders,
    page,
    paged,
    rows,
    serving,
)


def first_pages(
    answers: Answers, pages: int = 2, *others: Any, name: str = "orders", **endpoint: Any
) -> tuple[FirstPages, PagedServer]:
    with serving(answers) as server:
        entries = [orders(**endpoint), *others]
        config: Any = {"client": {"base_url": server.base_url}, "resources": entries}
        resource = resource_of(Api(name="shop", config=config), name)
        connection = connect(config["client"], "shop")
        return read_first_pages(resource, connection, {}, pages), server


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_as_many_pages_are_requested_as_are_asked_for(pages: int) -> None:
    found, server = first_pages(paged(rows(*range(10))), pages)
    assert len(server.requests) == len(found.sample.pages) == pages
    assert [row["id"] for row in found.rows] == list(range(2 * pages))
    assert found.sample.next_request().params["offset"] == 2 * pages


def test_a_sample_ends_where_the_read_ends_and_asks_for_no_page_twice() -> None:
    found, server = first_pages(paged(rows(0, 1, 2)), 9)
    assert [asked.number("offset") for asked in server.requests] == [0, 2]
    assert found.sample.is_over
    _, server = first_pages(paged([], with_total=False), 9)
    assert len(server.requests) == 1


def test_an_error_of_a_later_page_is_kept_and_that_of_the_first_one_raised() -> None:
    found, _ = first_pages(in_turn(page(1, 2, total=9)))
    assert isinstance(found.sample.error, ResponseError)
    assert [row["id"] for row in found.rows] == [1, 2]
    with pytest.raises(Exception, match="418"):
        first_pages(in_turn())


def test_a_change_between_two_pages_is_no_end() -> None:
    found, _ = first_pages(in_turn(page(1, 2, total=9), page(3, 4, total=8)))
    assert found.sample.moved
    assert not found.sample.is_over
    assert found.sample.next_request().params["offset"] == 4


def test_of_children_at_most_ten_rows_of_the_parent_are_tried() -> None:
    def answer(asked: Request) -> Answer:
        is_parent = asked.path == "/orders"
        return Answer({"data": rows(*range(40)) if is_parent else [], "total": 40 * is_parent})

    lines = {
        "name": "lines",
        "endpoint": {
            "path": "/orders/{resources.orders.id}/lines",
            "data_selector": "data",
            "paginator": "single_page",
        },
    }
    found, server = first_pages(answer, 2, lines, name="lines")
    assert found.rows == []
    assert len(server.requests) == 11
