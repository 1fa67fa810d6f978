"""Answers without rows: no rows where the answer agrees, an error where it does not."""

from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets_tests.extract.paging.orders_read import attempted, failed, read
from analytics_assets_tests.support import paged_server
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    drain,
    in_turn,
    orders,
    page,
    paged,
    rows,
    serving,
    source_of,
)

OFFSET = {"type": "offset", "limit": 2, "total_path": None}
CURSOR = {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "after"}
PAGINATORS = [OFFSET, {"type": "page_number", "total_path": None}, CURSOR, "single_page", "auto"]
each_paginator = pytest.mark.parametrize("paginator", PAGINATORS, ids=str)


@each_paginator
@pytest.mark.parametrize(
    "body",
    [
        {"rowCount": 0},
        {"total": 0},
        {"data": None, "total": 0},
        {"data": None, "next_cursor": None},
        {"data": None, "has_more": False},
    ],
    ids=str,
)
def test_a_first_answer_that_agrees_has_no_rows(paginator: Any, body: Any) -> None:
    assert read(lambda _: Answer(body), paginator=paginator).rows == []


@each_paginator
@pytest.mark.parametrize("body", [b"null", {}, {"kind": "report"}, {"data": None}], ids=str)
def test_a_first_answer_that_says_nothing_has_no_rows_where_the_policy_says_so(
    paginator: Any, body: Any
) -> None:
    error = failed(lambda _: Answer(body), paginator=paginator).error

    assert '`"empty": "absent"` in the policy' in error
    found = attempted(lambda _: Answer(body), allows_absence=True, paginator=paginator)
    assert (found.error, found.rows) == ("", [])


@pytest.mark.parametrize("there", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "paginator", [OFFSET, {"type": "page_number", "total_path": None}], ids=str
)
def test_no_content_behind_the_last_row_is_the_end(paginator: Any, there: int) -> None:
    def answer(asked: Request) -> Answer:
        found = rows(*range(there))[asked.number("offset") + 2 * asked.number("page") :][:2]
        return Answer({"data": found}) if found else Answer(b"", status=204)

    assert read(answer, paginator=paginator).numbers == list(range(there))


def test_an_empty_list_behind_pages_that_are_objects_is_the_end_of_each_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READING__CONFIRM", "true")  # PHP encodes an empty object as a list
    answers = paged(rows(1, 2, 3), with_total=False)

    def answer(asked: Request) -> Answer:
        return answers(asked) if asked.number("offset") < 3 else Answer([])

    found = read(answer, paginator=OFFSET, data_selector=None)
    assert found.numbers == [1, 2, 3]


def test_rows_that_dlt_does_not_detect_beside_an_empty_list_are_an_error_with_the_remedy() -> None:
    body = {"errors": [], "result": rows(1, 2), "result_info": {"total_count": 2}}

    error = failed(lambda _: Answer(body), data_selector=None).error

    assert "Expected 2 rows, received 0. Check that `data_selector` names the place" in error


def test_no_content_has_no_rows_where_the_policy_says_so() -> None:
    nothing = Answer(b"", status=204)

    assert '`"empty": "absent"` in the policy' in failed(lambda _: nothing).error
    found = attempted(lambda _: nothing, allows_absence=True)
    assert (found.error, found.rows) == ("", [])


@pytest.mark.parametrize("body", [{}, {"message": "slow down"}, {"data": []}, {"id": 3}], ids=str)
def test_an_object_among_pages_that_are_lists_is_an_error(body: Any) -> None:
    following = {"Link": '</orders?page=2>; rel="next"'}
    first = Answer(rows(1, 2), headers=following)

    answers = in_turn(first, *[Answer(body)] * 9)
    error = failed(answers, paginator="auto", data_selector=None).error

    assert error.startswith("orders: GET http://model/orders?page=2: the API answered 200 with ")
    assert "its body being an object and no list, unlike the first page: the body has " in error
    assert "Set `data_selector`" in error


@pytest.mark.parametrize("body", [b"null", {"kind": "report"}, {"data": None}], ids=str)
def test_a_later_answer_that_says_nothing_has_no_rows(body: Any) -> None:
    last = Answer(body)
    for paginator in (OFFSET, {"type": "page_number", "total_path": None}):
        found = read(in_turn(page(1, 2), page(3, 4), last, last), paginator=paginator)
        assert found.numbers == [1, 2, 3, 4]
    found = read(in_turn(page(1, 2, next_cursor="a"), last, last), paginator=CURSOR)
    assert found.numbers == [1, 2]


@pytest.mark.parametrize("body", [{"kind": "report"}, {"rows": None}], ids=str)
def test_without_a_selector_too(body: Any) -> None:
    answers = in_turn(Answer({"rows": rows(1, 2)}), Answer(body), Answer(body))

    assert read(answers, data_selector=None, paginator=OFFSET).numbers == [1, 2]


def test_a_count_of_zero_is_no_row() -> None:
    for body in ({"rowCount": 0}, {"total": 0, "kind": "report"}):
        for paginator in ("auto", OFFSET):
            answers = in_turn(*[Answer(body)] * 2)
            assert read(answers, data_selector=None, paginator=paginator).rows == []


@pytest.mark.parametrize("allows_absence", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        {"total": 5},
        {"data": None, "total": 5},
        {"data": None, "count": 5},
        {"data": None, "next": "/orders?page=2"},
        {"items": rows(1, 2)},  # the selector is wrong
        {"items": rows(1, 2), "total": 0},
        {"data": {"id": 1}},
        {"data": "none"},
        {"error": {"code": 500}},
        {"data": None, "error": "no quota"},
        {"success": False},
        [],
        b"",
    ],
    ids=str,
)
def test_an_answer_that_disagrees_is_an_error(body: Any, allows_absence: bool) -> None:
    found = attempted(lambda _: Answer(body), allows_absence, paginator=OFFSET)

    assert found.error.startswith("orders: GET")
    assert found.rows == []


@pytest.mark.parametrize("body", [{"kind": "report"}, {"data": None}, b"null"], ids=str)
def test_an_answer_before_the_total_is_no_end(body: Any) -> None:
    missing = Answer(body)
    found = failed(in_turn(page(1, 2, total=5), *[missing] * 9))

    assert "offset=2" in found.error
    once = in_turn(page(1, 2, total=3), missing, page(3, total=3), page(total=3))
    assert read(once).numbers == [1, 2, 3]


def test_an_answer_without_its_list_is_requested_once_more() -> None:
    answers = in_turn(page(1, 2), Answer({}), page(3), page(), page())

    assert read(answers, paginator=OFFSET).asked_for("offset") == [(0,), (2,), (2,), (3,), (3,)]


def test_a_contract_may_allow_an_answer_without_its_list() -> None:
    columns = (Column("id", "id", "bigint", nullable=False),)
    for may_be_absent in (True, False):
        contract = Contract("orders", columns, ("id",), rows_may_be_absent=may_be_absent)
        with serving(lambda _: Answer({"kind": "report"})) as server:
            source = source_of(server, orders(paginator=OFFSET), contract=contract)
            found = drain(source.resources["orders"])
        assert bool(found.error) is not may_be_absent


@pytest.mark.parametrize(
    "body",
    [
        {"result": "error", "message": "quota exceeded"},
        {"status": "error", "code": 500, "message": "quota exceeded"},
        {"error": {"message": "quota exceeded"}, "data": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("key", ["id", None])
def test_an_error_object_is_no_row(body: Any, key: str | None) -> None:
    for selector, paginator in (("$", "single_page"), ("$", "auto"), (None, "auto")):
        if key is None and "data" in body and selector:
            continue  # another field: without a key it may be a row
        found = paged_server.failed(
            lambda _: Answer(body),
            {"primary_key": key},
            data_selector=selector,
            paginator=paginator,
        )
        assert "quota exceeded" in found.error


@pytest.mark.parametrize("selector", ["$", None])
def test_an_object_with_its_key_is_a_row_whatever_its_status_is(selector: str | None) -> None:
    payment = {"id": 1, "status": "failed", "error": "card refused"}

    found = read(lambda _: Answer(payment), data_selector=selector, paginator="single_page")

    assert found.rows == [payment]


def test_the_place_of_the_rows_is_that_of_the_first_page_with_rows() -> None:
    answers = in_turn(Answer(b"null"), page(1, 2), page(3), page(), page())

    assert read(answers, data_selector=None, paginator=OFFSET).numbers == [1, 2, 3]


def test_rows_of_a_list_behind_pages_that_are_objects_are_read() -> None:
    answers = in_turn(page(1, 2), Answer(rows(3, 4)), page(5), page(), page())

    assert read(answers, data_selector=None, paginator=OFFSET).numbers == [1, 2, 3, 4, 5]


def test_lists_that_are_there_are_read_as_before() -> None:
    assert read(paged(rows(1, 2, 3)), allows_absence=True).numbers == [1, 2, 3]
