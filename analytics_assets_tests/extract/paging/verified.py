"""Reads of `orders` by the verified read alone, without a network, a source or prefetching."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import requests
from dlt.common.configuration import resolve_configuration
from dlt.sources.helpers.rest_client.client import RESTClient

from analytics_assets.extract.entry import Entry
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.paging.verified_read import ReadingSettings, VerifiedRead
from analytics_assets_tests.support.paged_server import (
    Answers,
    Read,
    WithinProcess,
    drain,
    orders,
)

URL = "http://model"


def attempted(answers: Answers, allows_absence: bool = False, **endpoint: Any) -> Read:
    """Read `orders`, and return what came of it."""
    network = WithinProcess(answers)
    session = _session()
    session.mount(URL, network)
    given = orders(**endpoint)
    config = {"client": {"base_url": URL}, "resources": [given]}
    reading = resolve_configuration(ReadingSettings())
    entry = Entry(given, config, reading, allows_absence=allows_absence)
    attempt = drain(_rows(RESTClient(URL, session=session), entry))
    attempt.requests = network.server.requests
    return attempt


def read(answers: Answers, **endpoint: Any) -> Read:
    """Read `orders`; the read must be complete."""
    attempt = attempted(answers, **endpoint)
    assert not attempt.error
    return attempt


def failed(answers: Answers, **endpoint: Any) -> Read:
    """Read `orders`; the read must fail, and hand no row on."""
    attempt = attempted(answers, **endpoint)
    assert attempt.error
    assert attempt.rows == []
    return attempt


def _rows(client: RESTClient, entry: Entry) -> Iterator[Any]:
    endpoint = entry.for_dlt(str)["endpoint"]
    pages = client.paginate(
        endpoint["path"],
        endpoint.get("method", "GET"),
        json=endpoint.get("json"),
        paginator=entry.paginator,
        data_selector=endpoint.get("data_selector"),
        hooks={"response": endpoint["response_actions"]},
    )
    step = VerifiedRead(entry.paginator, False, entry.contract, {}, entry.bulk_read)
    yield from (row for batch in step.read(pages) for row in batch)


@cache
def _session() -> requests.Session:
    settings = RequestSettings()
    settings.request_max_attempts, settings.request_backoff_factor = 2, 0
    return connect({"base_url": URL}, "shop", settings).session
