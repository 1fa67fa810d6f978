"""`check --probe` finds what an API bears, and says what to write."""

import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest
import requests

from analytics_assets.cli.commands.check.probe import bursts
from analytics_assets.cli.commands.check.probe.api_probe import ApiProbe
from analytics_assets.config.api import Api
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.sampling.first_pages import read_first_pages
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    PagedServer,
    Request,
    serving,
)

OFFSET = {"type": "offset", "limit": 100}
PAGE = {"type": "page_number", "base_page": 1, "total_path": None}
PATIENCE = 60.0  # seconds, on a busy machine
CURSOR = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}


def rows(start: int, end: int, size: int) -> list[dict[str, Any]]:
    return [{"id": number} for number in range(start, min(end, size))]


def api(
    cap: int = 250,
    size: int = 1234,
    total: int | None = None,
    refuses: int | None = None,
    most_offset: int | None = None,
) -> Answers:
    """An API with a cap, which pages in all ways.

    Args:
        cap: the most rows of a page.
        size: its rows.
        total: the total that it gives; that of its rows if None, none if negative.
        refuses: the limit above which it refuses a request.
        most_offset: the offset above which it does.
    """

    def answer(asked: Request) -> Answer:
        limit = asked.number("limit", asked.number("per_page", 100))
        if refuses and limit > refuses:
            return Answer({"error": f"limit must be at most {refuses}"}, status=400)
        length = min(cap, limit)
        start = asked.number("offset") or (asked.number("page", 1) - 1) * length
        start = int(asked.query.get("cursor", start))
        if most_offset and start > most_offset:
            return Answer({"error": "offset is too large"}, status=400)
        end = start + length
        body = {"data": rows(start, end, size), "next": end if end < size else None}
        stated = size if total is None else total
        return Answer(body if stated < 0 else {**body, "total": stated})

    return answer


def probe(answers: Answers, paginator: Any, **endpoint: Any) -> tuple[str, PagedServer, ApiProbe]:
    with serving(answers) as server:
        given = {"path": "/orders", "data_selector": "data", "paginator": paginator, **endpoint}
        entry = {"name": "orders", "primary_key": "id", "endpoint": given}
        config: Any = {"client": {"base_url": server.base_url}, "resources": [entry]}
        resource = resource_of(Api(name="shop", config=config), "orders")
        found = ApiProbe("shop")
        connection = connect(config["client"], "shop", single_attempt())
        first = read_first_pages(resource, connection, {}).sample
        text = "\n".join(found.lines(resource, connection, first, {}))
    return text, server, found


@pytest.mark.parametrize(
    ("answers", "paginator", "params", "says"),
    [
        (api(), OFFSET, {}, "pages may have 250 rows (a page took "),
        (api(), OFFSET, {}, '1,000 were asked for: write "limit": 250 in `paginator`'),
        (api(cap=100), OFFSET, {}, "pages have at most 100 rows, as `limit` says"),
        (api(cap=50), OFFSET, {}, 'at most 50 rows; 100 were asked for: write "limit": 50'),
        (api(cap=9999, refuses=500), OFFSET, {}, "500 rows (a page"),
        (api(cap=9999, refuses=500), OFFSET, {}, '1,000 are refused: write "limit": 500'),
        (api(cap=9999), OFFSET, {}, "1,234 rows came on one page, when 10,000 were asked for"),
        (api(size=42), OFFSET, {}, "42 rows came on one page, so that its limit is unknown"),
        (api(), PAGE, {"per_page": 100}, '"per_page": 250 in `params` of `endpoint`'),
        (api(), CURSOR, {"limit": 100}, '"limit": 250 in `params` of `endpoint`'),
        (api(), CURSOR, {}, "The entry names no limit"),
        (api(total=-1), PAGE, {"per_page": 100}, '"per_page": 250 in `params` of `endpoint`'),
        (api(size=42, total=-1), PAGE, {"per_page": 100}, "42 rows came on one page, so that"),
    ],
)
def test_the_most_rows_of_a_page_are_found(
    answers: Answers, paginator: Any, params: dict[str, Any], says: str
) -> None:
    text, server, _ = probe(answers, paginator, params=params)
    assert says in text
    assert len(server.requests) <= 45


@pytest.mark.parametrize(
    ("answers", "paginator", "says"),
    [
        (api(), OFFSET, "its total, 1,234, is right"),
        (api(), PAGE, "its total, 1,234, is right"),
        (api(total=1000), OFFSET, "its total, 1,000, is too low: 100 rows come after it"),
        (api(total=1000), PAGE, "its total, 1,000, is too low"),
        (api(total=2000), OFFSET, "its total, 2,000, is too high"),
        (api(most_offset=1000), OFFSET, "it refuses the last page (offset 1,233)"),
        (api(), CURSOR, "its total, 1,234, is compared in a load"),
    ],
)
def test_a_total_is_compared_with_the_rows_around_it(
    answers: Answers, paginator: Any, says: str
) -> None:
    assert says in probe(answers, paginator)[0]


class Counted:
    """An API that counts the requests that it answers at once, and refuses more than some.

    Of a burst, it answers none before all are there.
    """

    def __init__(self, answers: Answers, most: int = 99) -> None:
        self._answers, self._most = answers, most
        self._changed = threading.Condition()
        self.at_once = self.highest = self.refused = self.after_refusal = 0
        self.size = self.came = 0  # of the burst

    def begin(self, size: int) -> None:
        """Wait for so many requests from now on."""
        with self._changed:
            self.size, self.came = size, 0

    def __call__(self, asked: Request) -> Answer:
        with self._changed:
            self.came += 1
            self.at_once += 1
            self.highest = max(self.highest, self.at_once)
            is_refused = self.at_once > self._most
            self.after_refusal += bool(self.refused) and self.at_once == 1
            self.refused += is_refused
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.came >= self.size, PATIENCE)
            self.at_once -= 1
        return Answer({"error": "slow down"}, status=429) if is_refused else self._answers(asked)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Counted], Counted]:
    """Make an API know the size of each burst, which takes as long as any other one."""

    def told(counted: Counted) -> Counted:
        send, seconds = bursts._burst, count(0.0, 0.05)

        def burst(connection: Connection, asked: Sequence[requests.Request]) -> bursts.Burst:
            counted.begin(len(asked))
            return send(connection, asked)

        monkeypatch.setattr(bursts, "_burst", burst)
        monkeypatch.setattr(bursts, "monotonic", lambda: next(seconds))
        return counted

    return told


def test_requests_at_once_that_pay_are_a_setting(
    counting: Callable[[Counted], Counted],
) -> None:
    counted = counting(Counted(api()))
    text, _, _ = probe(counted, OFFSET)
    assert "requests a second by requests at once: 1: " in text
    assert "    [sources.shop.reading]\n    max_in_flight = 16" in text
    assert counted.highest == 16


def test_the_first_refusal_ends_the_bursts(counting: Callable[[Counted], Counted]) -> None:
    counted = counting(Counted(api(), most=3))
    text, _, _ = probe(counted, OFFSET)
    assert "the API refused 4 requests at once; no more were sent" in text
    assert "    max_in_flight = 2\n    max_per_second = " in text
    assert counted.after_refusal == 0


def test_no_more_requests_are_at_once_than_the_settings_allow(
    counting: Callable[[Counted], Counted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__SHOP__READING__MAX_IN_FLIGHT", "2")
    counted = counting(Counted(api()))
    text, _, _ = probe(counted, OFFSET)
    assert counted.highest <= 2
    assert "2 pay, as many as `reading.max_in_flight` allows" in text


def test_an_api_that_asks_for_fewer_requests_is_asked_no_more() -> None:
    left = iter([api()] * 2)
    answers: Callable[[Request], Answer] = lambda asked: next(  # noqa: E731
        left, lambda _: Answer({"error": "slow down"}, status=429)
    )(asked)
    text, server, found = probe(answers, OFFSET)
    assert "the API asked for fewer requests (429 or 503), and the probe ended" in text
    assert (found.requests, len(server.requests)) == (1, 3)
