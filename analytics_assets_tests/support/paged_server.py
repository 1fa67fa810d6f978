"""A small API with pages, without sign-in: over real HTTP, or within the process for speed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from dlt.extract import DltSource
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.support.http.exchange import Answer as Answer
from analytics_assets_tests.support.http.exchange import Request as Request
from analytics_assets_tests.support.http.server import Answers as Answers
from analytics_assets_tests.support.http.server import Server

ROWS_AT_MOST = 1000  # on a page, where a request names no limit
ENDLESS = 300  # requests of one test


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

    def answer(asked: Request) -> Answer:
        offset, limit = asked.number("offset"), asked.number("limit", ROWS_AT_MOST)
        known = {"total": len(all_rows)} if with_total else {}
        return Answer({"data": all_rows[offset : offset + min(limit, cap)], **known})

    return answer


def in_turn(*answers: Answer) -> Answers:
    """An API that sends these answers in turn and then fails."""
    left = iter(answers)
    return lambda _asked: next(left, Answer({}, status=418))


class PagedServer(Server):
    """An API with pages, which ends a read that has no end."""

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request."""
        known = len(self.requests) < ENDLESS
        return super().answer(request) if known else Answer({}, status=418)


def serving(answers: Answers) -> PagedServer:
    """An API over HTTP on a port of this machine, for a `with` block."""
    return PagedServer(answers)


class WithinProcess(HTTPAdapter):
    """Takes a session's requests to an API without a network."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.server = serving(answers)

    def send(
        self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any
    ) -> requests.Response:
        parts = urlsplit(str(request.url))
        content = request.body.encode() if isinstance(request.body, str) else request.body or b""
        asked = Request(str(request.method), parts.path, dict(parse_qsl(parts.query)), content)
        self.server.requests.append(asked)
        answer = self.server.answer(asked)
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        response.connection = self
        response.status_code, response._content = answer.status, answer.content
        response.headers = CaseInsensitiveDict(answer.all_headers)
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        return response


def orders(entry: Mapping[str, Any] | None = None, **endpoint: Any) -> dict[str, Any]:
    """The entry of a resource `orders`, two rows a page unless `endpoint` changes that."""
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
    """The outcome of a read: rows, requests, error."""

    rows: list[Any] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    error: str = ""

    @property
    def numbers(self) -> list[Any]:
        return [each["id"] for each in self.rows]

    def asked_for(self, *names: str) -> list[tuple[int, ...]]:
        return [tuple(asked.number(name) for name in names) for asked in self.requests]


def drain(resource: Iterable[Any]) -> Read:
    """Read all rows, up to an error of this project."""
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
    """Read `orders` over HTTP; return the outcome."""
    with serving(answers) as server:
        attempt = drain(source_of(server, orders(entry, **endpoint)).resources["orders"])
    attempt.requests = server.requests
    return attempt
