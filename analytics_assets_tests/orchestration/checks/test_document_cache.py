"""The OpenAPI document of an API: fetched once a day, by one process at a time."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from analytics_assets.config.api import Api
from analytics_assets.contract.errors import ContractError
from analytics_assets.extract.http.errors import ApiError, ResponseError
from analytics_assets.orchestration.checks.document_cache import DocumentCache
from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.paged_server import PagedServer, serving

NOW = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
LATER = NOW - timedelta(hours=23)  # another check of the same day
TOMORROW = NOW + timedelta(minutes=1)
HTML = {"Content-Type": "text/html; charset=utf-8"}


def document(title: str) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": title}, "paths": {"/orders": {}}}


class Served:
    """Answers that a test changes between two requests."""

    def __init__(self) -> None:
        self.answer = Answer(document("first"))

    def __call__(self, request: Request) -> Answer:
        version = self.answer.headers.get("ETag")
        if version and request.headers.get("if-none-match") == version:
            return Answer(b"", 304)
        return self.answer


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def server(served: Served) -> Iterator[PagedServer]:
    with serving(served) as running:
        yield running


@pytest.fixture
def shop(server: PagedServer, tmp_path: Path) -> Api:
    config = {"client": {"base_url": server.base_url}, "resources": ["orders"]}
    return Api(name="shop", config=config, openapi=str(tmp_path / "kept.json"))


@pytest.fixture
def cache(tmp_path: Path) -> DocumentCache:
    return DocumentCache(tmp_path / "pipelines")


def title(cache: DocumentCache, api: Api, now: datetime = NOW) -> str | None:
    file = cache.document_of(api, now)
    return str(json.loads(file.read_text())["info"]["title"]) if file else None


def test_a_document_is_fetched_once_a_day(
    shop: Api, cache: DocumentCache, server: PagedServer, served: Served
) -> None:
    assert title(cache, shop) == "first"
    served.answer = Answer(document("second"))

    assert title(DocumentCache(cache.folder), shop, LATER) == "first"
    assert len(server.requests) == 1
    assert title(cache, shop, TOMORROW) == "second"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answered", "asked"), [("ETag", "if-none-match"), ("Last-Modified", "if-modified-since")]
)
def test_an_unchanged_document_is_not_sent_again(
    answered: str,
    asked: str,
    shop: Api,
    cache: DocumentCache,
    server: PagedServer,
    served: Served,
) -> None:
    served.answer = Answer(document("first"), headers={answered: "Sun, 01 Mar 2026 00:00:00 GMT"})
    title(cache, shop)
    served.answer = Answer(b"", 304)

    assert title(cache, shop, TOMORROW) == "first"
    assert title(cache, shop, TOMORROW) == "first"
    assert [request.headers.get(asked) for request in server.requests] == [
        None,
        "Sun, 01 Mar 2026 00:00:00 GMT",
    ]


def test_a_changed_document_with_a_version_replaces_the_old_one(
    shop: Api, cache: DocumentCache, served: Served
) -> None:
    served.answer = Answer(document("first"), headers={"ETag": '"1"'})
    title(cache, shop)
    served.answer = Answer(document("second"), headers={"ETag": '"2"'})

    assert title(cache, shop, TOMORROW) == "second"


def test_a_new_contract_is_compared_with_a_new_document(
    shop: Api, cache: DocumentCache, served: Served
) -> None:
    title(cache, shop)
    served.answer = Answer(document("second"), headers={"ETag": '"1"'})
    Path(str(shop.openapi)).write_text("another contract")

    assert title(cache, shop, LATER) == "second"


def test_another_address_has_another_document(
    shop: Api, cache: DocumentCache, server: PagedServer
) -> None:
    title(cache, shop)
    moved = Api(name="shop", config=shop.config, openapi=shop.openapi, openapi_path="/v2.json")

    title(cache, moved, LATER)

    assert [request.path for request in server.requests] == ["/openapi.json", "/v2.json"]


@pytest.mark.parametrize(
    "answer", [Answer({}, 404), Answer({}, 410), Answer(b"<html>Sign in", headers=HTML)]
)
def test_an_api_that_serves_no_document_is_asked_once_a_day(
    answer: Answer, shop: Api, cache: DocumentCache, server: PagedServer, served: Served
) -> None:
    served.answer = answer

    assert title(cache, shop) is None
    assert title(cache, shop, LATER) is None
    assert len(server.requests) == 1
    served.answer = Answer(document("first"))
    assert title(cache, shop, TOMORROW) == "first"


@pytest.mark.parametrize(
    ("answer", "error"),
    [(Answer({}, 403), ResponseError), (Answer({"swagger": "1.2"}), ContractError)],
)
def test_a_failure_is_not_kept(
    answer: Answer,
    error: type[Exception],
    shop: Api,
    cache: DocumentCache,
    served: Served,
) -> None:
    served.answer = answer
    for now in (NOW, LATER):
        with pytest.raises(error):
            cache.document_of(shop, now)
    served.answer = Answer(document("first"))

    assert title(cache, shop, LATER) == "first"


def test_a_server_that_is_busy_for_an_hour_delays_no_check(
    shop: Api, cache: DocumentCache, server: PagedServer, served: Served
) -> None:
    served.answer = Answer({}, 503, headers={"Retry-After": "3600"})
    for _ in range(2):
        with pytest.raises(ApiError, match=r"503|3600 seconds"):
            cache.document_of(shop, NOW)

    assert len(server.requests) == 1


def test_a_broken_or_missing_file_is_fetched_again(
    shop: Api, cache: DocumentCache, server: PagedServer
) -> None:
    for name, content in (("shop.openapi.state", "{"), ("shop.openapi.state", "[]")):
        title(cache, shop)
        (cache.folder / name).write_text(content)
    assert title(cache, shop) == "first"
    (cache.folder / "shop.openapi.json").unlink()

    assert title(cache, shop) == "first"
    assert len(server.requests) == 4


def test_of_several_checks_at_once_one_fetches(
    shop: Api, cache: DocumentCache, server: PagedServer
) -> None:
    def ask(_: int) -> str | None:
        return title(DocumentCache(cache.folder), shop)

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(ask, range(8))) == {"first"}

    assert len(server.requests) == 1


def test_another_process_that_fetches_is_waited_for_as_long_as_lock_patience(
    shop: Api, cache: DocumentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0.1")
    cache.folder.mkdir(exist_ok=True)
    file = cache.folder / "shop.openapi.lock"
    with FileLock(file), pytest.raises(WarehouseLockedError, match=r"for longer than 0\.1 s"):
        title(cache, shop)
