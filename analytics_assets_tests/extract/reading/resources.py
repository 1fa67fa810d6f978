"""Several resources of one API."""

import threading
from itertools import groupby
from typing import Any

from analytics_assets_tests.support.paged_server import (
    Answer,
    PagedServer,
    Request,
    orders,
    paged,
    rows,
)

NAMES = ("orders", "refunds", "visits", "views")
EACH = rows(*range(6))  # of each resource, on three pages


def entry(name: str, extra: dict[str, Any] | None = None, **endpoint: Any) -> dict[str, Any]:
    return {**orders(extra, path=f"/{name}", **endpoint), "name": name}


def entries(*names: str) -> list[dict[str, Any]]:
    return [entry(name) for name in names]


def paths(server: PagedServer) -> list[str]:
    return [asked.path.strip("/") for asked in server.requests]


def in_turn(server: PagedServer) -> list[str]:
    """The resources in the order of their requests, each once for those in a row."""
    return [name for name, _ in groupby(paths(server))]


class Together:
    """Answers the first page of each resource only once all of them have asked for it."""

    def __init__(self, *names: str, then: list[Any] = EACH) -> None:
        self._paths = [f"/{name}" for name in names]
        self._all = threading.Barrier(len(names))
        self._answers = paged(then)

    def __call__(self, asked: Request) -> Answer:
        if asked.path in self._paths and not asked.number("offset"):
            self._all.wait(60)
        return self._answers(asked)
