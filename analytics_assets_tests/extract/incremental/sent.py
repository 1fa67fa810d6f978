"""The values that a request has at the places of a load."""

from collections.abc import Callable
from typing import Any

from analytics_assets.config.entry.place import EMPTY, Place
from analytics_assets_tests.support.paged_server import Request


def sent(asked: Request) -> dict[str, Any]:
    """The parts of a request as the server got them."""
    form = asked.headers.get("content-type") == "application/x-www-form-urlencoded"
    body = {"data": asked.form} if form else {"json": asked.body}
    return {"params": asked.query, "headers": asked.headers, **body}


def at(name: str) -> Callable[[Request], Any]:
    """Return a function that reads a place of a request."""

    def value(asked: Request) -> Any:
        found = Place.of(name).value_in(sent(asked))
        return None if found is EMPTY else found

    return value
