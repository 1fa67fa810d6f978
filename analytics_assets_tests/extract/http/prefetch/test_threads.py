"""Pages that are asked for ahead of time: the same rows, errors and requests, only sooner."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from dlt.common.configuration import configspec
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.prefetch import threads
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.faults.visits import TOKEN_PATH, VisitsServer, always, once
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Asked,
    Read,
    attempted,
    drain,
    failed,
    orders,
    paged,
    read,
    row,
    rows,
    serving,
    source_of,
)
from analytics_assets_tests.support.token_server import recording

MOST = 16
NUMBERS = range(40)
ALL = rows(*NUMBERS)
IN_BODY = {"offset_body_path": "page.offset", "limit_body_path": "page.limit"}
Kind = dict[str, Any]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have as many pages on their way as may be, all the time."""
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(MOST))


def position(asked: Asked) -> int:
    in_body = (asked.body or {}).get("page", {})
    number = asked.number("page", default=-1)
    return (2 * number if number >= 0 else 0) or asked.number("offset") or in_body.get("offset", 0)


def two_by_two(with_total: bool = True) -> Answers:
    def answer(asked: Asked) -> Answer:
        start = position(asked)
        found = {"data": ALL[start : start + 2], "pages": len(ALL) // 2}
        return Answer({**found, "total": len(ALL)} if with_total else found)

    return answer


KINDS: dict[str, Kind] = {
    "offset": {},
    "offset from another place on": {"paginator": {"type": "offset", "limit": 2, "offset": 10}},
    "offset up to a place": {"paginator": {"type": "offset", "limit": 2, "maximum_offset": 20}},
    "offset in the body": {
        "method": "POST",
        "json": {"q": 1},
        "paginator": {"type": "offset", "limit": 2, **IN_BODY},
    },
    "page": {"paginator": {"type": "page_number", "total_path": None}},
    "page of a known number": {"paginator": {"type": "page_number", "total_path": "pages"}},
}


def one_at_a_time(monkeypatch: pytest.MonkeyPatch, answers: Answers, **endpoint: Any) -> Read:
    with monkeypatch.context() as patch:
        patch.setenv("READING__MAX_IN_FLIGHT", "1")
        return attempted(answers, **endpoint)


def questions(attempt: Read) -> Counter[str]:
    return Counter(str(asked) for asked in attempt.asked)


@pytest.mark.parametrize("with_total", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_are_the_same_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch, kind: str, with_total: bool
) -> None:
    usual = one_at_a_time(monkeypatch, two_by_two(with_total), **KINDS[kind])
    attempt = attempted(two_by_two(with_total), **KINDS[kind])

    assert attempt.error == usual.error
    assert attempt.rows == usual.rows
    assert len(attempt.rows) >= 20 or attempt.error


@pytest.mark.parametrize("kind", ["offset", "offset up to a place", "offset in the body"])
def test_each_page_is_asked_for_once_where_the_total_is_known(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    usual = one_at_a_time(monkeypatch, two_by_two(), **KINDS[kind])

    assert questions(attempted(two_by_two(), **KINDS[kind])) == questions(usual)


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_is_asked_for_twice_where_the_total_is_not_known(kind: str) -> None:
    attempt = attempted(two_by_two(with_total=False), **KINDS[kind])

    assert max(questions(attempt).values()) == 1
    assert len(attempt.asked) <= 21 + MOST


class Together:
    """Answers as an API does once `many` requests wait at the same time, after the first one."""

    def __init__(self, answers: Answers, many: int) -> None:
        self._answers, self._barrier = answers, threading.Barrier(many)
        self._places = iter(range(10**6))
        self._many = many

    def __call__(self, asked: Asked) -> Answer:
        if 0 < next(self._places) <= self._many:
            self._barrier.wait(10)
        return self._answers(asked)


@pytest.mark.parametrize("kind", ["offset", "offset in the body"])
def test_as_many_pages_are_on_their_way_as_may_be(kind: str) -> None:
    attempt = attempted(Together(two_by_two(), MOST), **KINDS[kind])

    assert attempt.numbers == list(NUMBERS)


def test_pages_that_come_in_another_order_are_handed_on_in_theirs() -> None:
    later = threading.Event()
    answers = two_by_two()

    def answer(asked: Asked) -> Answer:
        if position(asked) == 2:
            assert later.wait(10), "the pages behind are asked for, too"
        if position(asked) == 20:
            later.set()
        return answers(asked)

    assert read(answer).numbers == list(NUMBERS)


def test_without_a_total_no_more_pages_are_asked_for_than_have_come() -> None:
    attempt = read(two_by_two(with_total=False))
    asked_behind = [place for asked in attempt.asked if (place := position(asked)) > len(ALL)]

    assert len(asked_behind) <= MOST
    with serving(paged(rows(1, 2, 3), with_total=False)) as server:
        drain(source_of(server, orders()).resources["orders"])
        assert len(server.asked) <= 4


def test_an_api_that_gives_fewer_rows_than_it_is_asked_for_is_read_by_what_it_gives() -> None:
    attempt = read(paged(ALL, cap=3), paginator={"type": "offset", "limit": 10})

    assert attempt.numbers == list(NUMBERS)
    assert sorted(attempt.asked_for("offset")) == [(place,) for place in range(0, 40, 3)]


def test_pages_of_many_sizes_are_read_without_gaps() -> None:
    def answer(asked: Asked) -> Answer:
        start = asked.number("offset")
        return Answer({"data": ALL[start : start + 1 + start % 3], "total": len(ALL)})

    attempt = read(answer, paginator={"type": "offset", "limit": 10})

    assert attempt.numbers == list(NUMBERS)
    # after a few wrong guesses the places count as unknown beforehand
    assert len(attempt.asked) <= 40 + MOST


def test_an_error_of_a_page_is_raised_when_it_is_its_turn() -> None:
    refused = threading.Event()
    answers = two_by_two()

    def answer(asked: Asked) -> Answer:
        if position(asked) == 20:
            refused.set()
            return Answer({}, status=403)
        if position(asked) == 4:
            assert refused.wait(10)
        return answers(asked)

    attempt = failed(answer)

    assert "403" in attempt.error
    assert "offset=20" in attempt.error


def test_the_error_of_the_first_page_that_fails_is_told_whichever_came_first() -> None:
    refused = threading.Event()
    answers = two_by_two()

    def answer(asked: Asked) -> Answer:
        if position(asked) == 20:
            refused.set()
            return Answer({}, status=403)
        if position(asked) == 10:
            assert refused.wait(10)
            return Answer({}, status=404)
        return answers(asked)

    assert "offset=10" in failed(answer).error


@pytest.mark.parametrize("status", [400, 404, 416, 500])
def test_pages_behind_the_end_that_fail_are_no_failure(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def answer(asked: Asked) -> Answer:
        if position(asked) > len(ALL):
            return Answer({}, status=status)
        return two_by_two(with_total=False)(asked)

    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    assert read(answer).numbers == list(NUMBERS)


def test_pages_that_fail_for_a_while_are_asked_for_again() -> None:
    failures = Counter[int]()
    answers = two_by_two()

    def answer(asked: Asked) -> Answer:
        place = position(asked)
        failures[place] += 1
        if place % 6 == 0 and failures[place] < 3:
            return Answer({}, status=503)
        return answers(asked)

    assert read(answer).numbers == list(NUMBERS)


def test_another_pass_asks_for_all_pages_again() -> None:
    all_rows = list(ALL)
    lock = threading.Lock()

    def answer(asked: Asked) -> Answer:
        with lock:
            if asked.number("offset") == 30 and len(all_rows) == len(ALL):
                all_rows.insert(0, row(-1))
            return paged(all_rows)(asked)

    assert read(answer).numbers == [-1, *NUMBERS]


def visits(server: VisitsServer) -> Read:
    auth = {
        "type": "oauth2",
        "token_url": f"{server.base_url}/token",
        "client_id": server.client_id,
        "client_secret": "secret",
    }
    entry = {
        "name": "visits",
        "endpoint": {
            "path": "/v1/visits",
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 2},
        },
    }
    config = {"client": {"base_url": server.base_url, "auth": auth}, "resources": [entry]}
    return drain(rest_api_source(config, "shop").resources["visits"])


def test_a_token_that_is_refused_in_the_middle_is_renewed_once_for_all() -> None:
    with VisitsServer(list(ALL)) as server:
        server.play(once(offset=20, expired_token=True))
        attempt = visits(server)

    assert not attempt.error
    assert attempt.numbers == list(NUMBERS)
    assert server.count(TOKEN_PATH) == 2


def test_one_page_that_is_refused_once_is_asked_for_with_a_new_token() -> None:
    with VisitsServer(list(ALL)) as server:
        server.play(once(offset=20, status=401))
        attempt = visits(server)

    assert attempt.numbers == list(NUMBERS)
    assert server.count(TOKEN_PATH) == 2


def test_a_token_that_stays_refused_is_an_error_that_says_so() -> None:
    with VisitsServer(list(ALL)) as server:
        server.play(always(offset=20, status=401))
        attempt = visits(server)

    assert "401" in attempt.error


@pytest.mark.parametrize("times", [1, 2])
def test_a_page_that_is_redirected_to_itself_is_read(times: int) -> None:
    """A worker that follows the redirect must not wait for the answer it is to bring itself."""
    redirected = Counter[str]()
    answers = two_by_two()
    lock = threading.Lock()

    def answer(asked: Asked) -> Answer:
        place = str(position(asked))
        with lock:
            redirected[place] += 1
            again = redirected[place] <= times
        if again and place != "0":
            location = f"{asked.path}?" + "&".join(f"{k}={v}" for k, v in asked.query.items())
            return Answer({}, status=307, headers={"Location": location})
        return answers(asked)

    found: list[Read] = []
    thread = threading.Thread(target=lambda: found.append(read(answer)), daemon=True)
    thread.start()
    thread.join(20)

    assert found, "the read stands still"
    assert found[0].numbers == list(NUMBERS)


@configspec
class SignedAnew(AuthConfigBase):
    """Signs each URL otherwise than the one before, as signatures with a moment in them do."""

    signed: int = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.signed += 1
        request.prepare_url(request.url, {"signature": str(self.signed)})
        return request


def test_an_auth_that_signs_each_url_otherwise_does_not_double_the_requests() -> None:
    with serving(two_by_two()) as server:
        config = {
            "client": {"base_url": server.base_url, "auth": SignedAnew()},
            "resources": [orders()],
        }
        attempt = drain(rest_api_source(config, "shop").resources["orders"])

    assert attempt.numbers == list(NUMBERS)
    # one for each of the 20 pages, one behind the last, the first wrong guess, two small ones
    assert len(server.asked) <= 20 + 1 + MOST + 2
    pages = Counter(asked.number("offset") for asked in server.asked)
    assert pages[len(ALL) - 2] <= 2, "in the end each page is asked for once"


def most_at_once(answers: Answers, **endpoint: Any) -> tuple[Read, int]:
    """Read, and tell how many requests there were at once at most."""
    now, most, lock = [0], [0], threading.Condition()

    def answer(asked: Asked) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            lock.notify_all()
            lock.wait_for(lambda: most[0] > 1, timeout=0.05)
        told = answers(asked)
        with lock:
            now[0] -= 1
        return told

    return read(answer, **endpoint), most[0]


def own_action(response: requests.Response, *_args: Any, **_kwargs: Any) -> requests.Response:
    return response


@pytest.mark.parametrize("action", [own_action, {"status_code": 200, "action": own_action}])
def test_actions_of_the_users_own_see_one_page_after_the_other(action: Any) -> None:
    attempt, most = most_at_once(two_by_two(), response_actions=[action])

    assert attempt.numbers == list(NUMBERS)
    assert most == 1


def test_without_them_pages_come_at_once() -> None:
    ignored = [{"status_code": 404, "action": "ignore"}]
    attempt, most = most_at_once(two_by_two(), response_actions=ignored)

    assert attempt.numbers == list(NUMBERS)
    assert most > 1


def cursors(asked: Asked) -> Answer:
    start = asked.number("after")
    following = start + 2 if start + 2 < len(ALL) else None
    return Answer({"data": ALL[start : start + 2], "after": following, "total": len(ALL)})


def test_pages_that_only_the_one_before_names_are_asked_for_one_after_the_other() -> None:
    cursor = {"type": "cursor", "cursor_path": "after", "cursor_param": "after"}
    attempt, most = most_at_once(cursors, paginator=cursor)

    assert attempt.numbers == list(NUMBERS)
    assert most == 1


def test_pages_that_are_large_are_not_held_in_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MAX_BYTES", 1)

    attempt, most = most_at_once(two_by_two())

    assert attempt.numbers == list(NUMBERS)
    assert most == 1


def test_cookies_of_the_api_come_back() -> None:
    def answer(sent: Any) -> tuple[int, dict[str, str], str]:
        return 200, {"Set-Cookie": "shop=7"}, '{"data": [], "total": 0}'

    with recording(answer) as api:
        source = source_of_recorder(api.url())
        list(source())
        list(source())
        assert [sent.headers.get("cookie") for sent in api.sent] == [None, "shop=7"]


def source_of_recorder(url: str) -> Callable[[], Any]:
    config = {"client": {"base_url": url}, "resources": [orders()]}
    connection = connect(config["client"], "shop")  # type: ignore[arg-type]
    return lambda: rest_api_source(config, "shop", connection).resources["orders"]
