"""Pages in the middle of a read: taken straight into columns, or left to dlt's client."""

import threading
from typing import Any

import psutil
import pytest

from analytics_assets.extract.paging import bulk_read
from analytics_assets_tests.extract.paging.typed_orders import (
    CONTRACT,
    IN_COLUMNS,
    ORDERS,
    PAGE,
    attempted,
    changed,
    entry,
    read,
)
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Asked,
    drain,
    paged,
    serving,
    source_of,
)

pytestmark = pytest.mark.usefixtures("few_pages", "in_a_load", "pages_at_once")


def once(answers: Answers, offset: int, other: Answer) -> Answers:
    """An API that answers something else, once, at a place."""
    left = [other]

    def answer(asked: Asked) -> Answer:
        if asked.number("offset") == offset and left:
            return left.pop()
        return answers(asked)

    return answer


def test_all_pages_but_the_first_and_the_last_go_straight_into_columns(
    typed_pages: list[int],
) -> None:
    found = read(paged(ORDERS))

    assert found.rows == IN_COLUMNS
    assert typed_pages == [PAGE] * 17
    assert sorted(asked.number("offset") for asked in found.asked) == [*range(0, 95, PAGE), 95]


def test_without_a_total_pages_are_read_up_to_the_empty_one(typed_pages: list[int]) -> None:
    assert read(paged(ORDERS, with_total=False)).rows == IN_COLUMNS
    assert sum(typed_pages) >= 17 * PAGE


def test_pages_with_fields_unknown_to_the_contract_are_left_to_dlt(
    typed_pages: list[int],
) -> None:
    found = read(paged([{**each, "colour": "red"} for each in ORDERS]))

    assert [each["colour"] for each in found.rows] == ["red"] * 95
    assert typed_pages == [0] * bulk_read.MOST_UNUSUAL
    # beside each page, those that were on their way when it was left to dlt's client
    assert len(found.asked) <= 20 + 16 + len(typed_pages)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answer_that_is_retried_is_left_to_dlts_client(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
    later = Answer({"error": "later"}, status, {"Retry-After": "0"})

    assert read(once(paged(ORDERS), 40, later)).rows == IN_COLUMNS


@pytest.mark.parametrize(
    "other",
    [
        Answer({"error": "nothing for you"}),
        Answer({"data": None, "total": 95}),
        Answer(b"<html>Please sign in</html>"),
        Answer({}, status=403),
        Answer({}, status=404),
    ],
    ids=["error", "null", "page", "forbidden", "missing"],
)
def test_an_answer_without_rows_fails_the_read_and_names_the_offset(
    other: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")

    found = attempted(changed(paged(ORDERS), lambda _offset, _body: other, {40}))

    assert found.error.startswith("orders: ")
    assert "offset=40" in found.error
    assert found.rows == []


def test_a_total_that_changes_in_the_middle_leads_to_another_pass() -> None:
    begun: list[int] = []

    def growing(offset: int, body: Any) -> Any:
        begun.extend([1] if offset == 0 else [])
        return {**body, "total": 94} if offset < 40 and len(begun) == 1 else body

    assert read(changed(paged(ORDERS), growing)).rows == IN_COLUMNS
    assert len(begun) == 2


def test_an_offset_that_is_ignored_in_the_middle_fails_the_read() -> None:
    def stuck(offset: int, body: Any) -> Any:
        return {**body, "data": ORDERS[40:45]} if offset > 40 else body

    assert "rows of the page before it" in attempted(changed(paged(ORDERS), stuck)).error


def test_a_row_on_two_pages_fails_the_read() -> None:
    def shifted(offset: int, body: Any) -> Any:
        return {**body, "data": ORDERS[offset - 1 : offset + PAGE - 1]}

    assert "were on two pages" in attempted(changed(paged(ORDERS), shifted, {40})).error


def test_processing_steps_get_all_rows_one_by_one(typed_pages: list[int]) -> None:
    steps = [{"filter": lambda each: each["id"] % 2}]

    assert read(paged(ORDERS), entry(processing_steps=steps)).ids == list(range(1, 95, 2))
    assert typed_pages == []


def test_outside_a_load_rows_come_one_by_one(
    typed_pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with serving(paged(ORDERS)) as server:
        source = source_of(server, entry(), contract=CONTRACT)
        assert list(source.resources["orders"]) == ORDERS

    assert typed_pages == []


def test_a_read_that_fails_leaves_no_connection_and_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
    before = set(threading.enumerate())
    with serving(changed(paged(ORDERS), lambda *_: Answer({}, status=403), {40})) as server:
        port = int(server.base_url.rpartition(":")[2])
        source = source_of(server, entry(), contract=CONTRACT)
        assert "403" in drain(source.resources["orders"]).error
        ours = {thread.name for thread in set(threading.enumerate()) - before}
        to_the_server = [
            each
            for each in psutil.Process().net_connections("tcp")
            if each.raddr and each.raddr.port == port and each.status == "ESTABLISHED"
        ]

    assert not [name for name in ours if "decode-pages" in name or "prefetch" in name]
    assert len(to_the_server) <= 1  # dlt's own client keeps one


def test_an_api_that_redirects_is_left_to_dlts_client(typed_pages: list[int]) -> None:
    pages = paged(ORDERS)

    def redirecting(asked: Asked) -> Answer:
        if asked.path == "/moved":
            return pages(asked)
        query = f"offset={asked.number('offset')}&limit={PAGE}"
        return Answer({}, 302, {"Location": f"/moved?{query}"})

    assert read(redirecting).rows == IN_COLUMNS
    assert typed_pages == []


def test_an_api_behind_a_proxy_is_left_to_dlts_client(
    typed_pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(paged(ORDERS)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.setenv("no_proxy", "")
        proxy.base_url = "http://shop.invalid"
        source = source_of(proxy, entry(), contract=CONTRACT)
        tables = list(source.resources["orders"])

    assert [number for table in tables for number in table["id"].to_pylist()] == list(range(95))
    assert typed_pages == []
