"""Reads of `orders` by `Reader` alone: without a network, a source or pages ahead."""

from functools import cache
from typing import Any

import requests
from dlt.common.configuration import resolve_configuration

from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.extract.entry import Entry
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.paging.parallel_reads import Extractions
from analytics_assets.extract.reading import Reader, ReadingSettings
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
    network, connection = WithinProcess(answers), _connection()
    connection.settings.client["session"].mount(URL, network)
    given = orders(**endpoint)
    config = {"client": {"base_url": URL}, "resources": [given]}
    entry = Entry(given, config, allows_absence=allows_absence)
    settings = resolve_configuration(ReadingSettings())
    reader = Reader(entry, None, connection, settings, Extractions())
    place = given["endpoint"]
    request = requests.Request(
        place.get("method", "GET"), URL + place["path"], json=place.get("json")
    )
    attempt = drain(row for rows in reader.read(request) for row in rows)
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


@cache
def _connection() -> Connection:
    settings = RequestSettings()
    settings.request_max_attempts, settings.request_backoff_factor = 2, 0
    return connect({"base_url": URL, "session": requests.Session()}, "shop", settings)
