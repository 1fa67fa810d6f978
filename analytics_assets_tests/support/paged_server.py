"""A small API with pages, without sign-in: over real HTTP, or within the process for speed."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from dlt.extract import DltResource, DltSource
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.contract import Contract
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.support.loopback import listening

ROWS_AT_MOST = 1000  # on a page, where a request names no limit
ENDLESS = 300  # requests of one test


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    query: dict[str, str]
    body: Any = None

    def number(self, name: str, default: int = 0) -> int:
        return int(self.query.get(name, default))


@dataclass(frozen=True)
class Answer:
    """What is sent back: bytes as they are, anything else as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def all_headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", **self.headers}


Answers = Callable[[Asked], Answer]


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "text": f"row {number}", **fields}


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [row(number) for number in numbers]


def page(*numbers: int, total: Any = None, **fields: Any) -> Answer:
    """A page of the rows with these numbers."""
    known = {} if total is None else {"total": total}
    return Answer({"data": rows(*numbers), **known, **fields})


def paged(all_rows: list[Any], cap: int = ROWS_AT_MOST, with_total: bool = True) -> Answers:
    """An API that pages by `offset` and `limit`, and may give less than is asked for."""

    def answer(asked: Asked) -> Answer:
        offset, limit = asked.number("offset"), asked.number("limit", ROWS_AT_MOST)
        known = {"total": len(all_rows)} if with_total else {}
        return Answer({"data": all_rows[offset : offset + min(limit, cap)], **known})

    return answer


def in_turn(*answers: Answer) -> Answers:
    """An API that gives these answers one after another, whatever it is asked, and then fails."""
    left = iter(answers)
    return lambda _asked: next(left, Answer({}, status=418))


@dataclass
class PagedServer:
    """The running API, and what it was asked so far."""

    answers: Answers
    asked: list[Asked] = field(default_factory=list)
    base_url: str = "http://127.0.0.1"

    def answer(self, method: str, url: str, content: bytes | None) -> Answer:
        parts = urlsplit(url)
        body = json.loads(content) if content else None
        asked = Asked(method, parts.path, dict(parse_qsl(parts.query)), body)
        self.asked.append(asked)
        return self.answers(asked) if len(self.asked) < ENDLESS else Answer({}, status=418)


@contextmanager
def serving(answers: Answers) -> Iterator[PagedServer]:
    """Answer over HTTP on a port of this machine."""
    paged_server = PagedServer(answers)

    def respond(
        request: BaseHTTPRequestHandler, content: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        answer = paged_server.answer(request.command, request.path, content)
        return answer.status, answer.all_headers, answer.content

    with listening(respond) as port:
        paged_server.base_url = f"http://127.0.0.1:{port}"
        yield paged_server


class WithinProcess(HTTPAdapter):
    """Takes a session's requests to an API without a network."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.server = PagedServer(answers)

    def send(
        self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any
    ) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        answer = self.server.answer(str(request.method), str(request.url), body or None)
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        response.connection = self
        response.status_code, response._content = answer.status, answer.content
        response.headers = CaseInsensitiveDict(answer.all_headers)
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        return response


def orders(entry: Mapping[str, Any] | None = None, **endpoint: Any) -> dict[str, Any]:
    """The entry of a resource `orders`, two rows a page unless `endpoint` says otherwise."""
    usual = {
        "path": "/orders",
        "data_selector": "data",
        "paginator": {"type": "offset", "limit": 2},
    }
    known = {name: value for name, value in {**usual, **endpoint}.items() if value is not None}
    return {"name": "orders", "primary_key": "id", **(entry or {}), "endpoint": known}


def source_of(
    server: PagedServer,
    *entries: Mapping[str, Any],
    contract: Contract | None = None,
    connection: Connection | None = None,
) -> DltSource:
    """The source of some entries; the contract is the last one's."""
    config = {"client": {"base_url": server.base_url}, "resources": list(entries)}
    contracts = {str(entries[-1]["name"]): contract} if contract else {}
    connection = connection or connect(config["client"], "shop")  # type: ignore[arg-type]
    return rest_api_source(config, "shop", connection, contracts)


@dataclass
class Read:
    """What came of reading a resource."""

    rows: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    error: str = ""

    @property
    def numbers(self) -> list[Any]:
        return [each["id"] for each in self.rows]

    def asked_for(self, *names: str) -> list[tuple[int, ...]]:
        return [tuple(asked.number(name) for name in names) for asked in self.asked]


def drain(resource: DltResource | DltSource) -> Read:
    """Go through all rows, up to an error that says what to do."""
    read = Read()
    try:
        for each in resource:
            read.rows.append(each)
    except Exception as error:
        cause = find_cause(error, AnalyticsAssetsError)
        if cause is None:
            raise
        read.error = str(cause)
    return read


def read(answers: Answers, entry: Mapping[str, Any] | None = None, **endpoint: Any) -> Read:
    """Read `orders` over HTTP; the read must be complete."""
    attempt = attempted(answers, entry, **endpoint)
    assert not attempt.error
    return attempt


def failed(answers: Answers, entry: Mapping[str, Any] | None = None, **endpoint: Any) -> Read:
    """Read `orders` over HTTP; the read must fail, and hand no row on."""
    attempt = attempted(answers, entry, **endpoint)
    assert attempt.error
    assert attempt.rows == []
    return attempt


def attempted(answers: Answers, entry: Mapping[str, Any] | None = None, **endpoint: Any) -> Read:
    """Read `orders` over HTTP, and tell what came of it."""
    with serving(answers) as server:
        attempt = drain(source_of(server, orders(entry, **endpoint)).resources["orders"])
    attempt.asked = server.asked
    return attempt
