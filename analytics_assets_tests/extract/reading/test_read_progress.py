"""The pages and rows of a read, counted while they arrive."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from analytics_assets.extract.http.connection import connect
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.paged_server import PagedServer, orders, paged, rows, source_of

ENTRY = orders(paginator={"type": "offset", "limit": 20})
PAGES = 50


@pytest.fixture
def server() -> Iterator[PagedServer]:
    with PagedServer(paged(rows(*range(1000)))) as running:
        yield running


def test_pages_and_rows_are_counted_with_the_total_of_the_api(server: PagedServer) -> None:
    with closing(connect({"base_url": server.base_url}, "shop")) as connection:
        found = list(source_of(server, ENTRY, connection=connection))
        read = connection.traffic.read_of("orders")
    assert len(found) == read.rows == read.expected == 1000
    assert (read.pages, read.void_passes) == (PAGES, 0)


def test_the_rows_of_a_void_pass_do_not_count_and_its_pages_do(server: PagedServer) -> None:
    changed = Answer({"data": rows(*range(500, 520)), "total": 990})
    server.faults.add(Fault(does=lambda exchange: exchange.answer(changed), offset=500))
    with closing(connect({"base_url": server.base_url}, "shop")) as connection:
        found = list(source_of(server, ENTRY, connection=connection))
        read = connection.traffic.read_of("orders")
    assert len(found) == read.rows == 1000
    assert read.void_passes == 1
    assert read.pages > PAGES
