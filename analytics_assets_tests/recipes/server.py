"""A vendor's API on this machine: what a recipe is tested against.

A file `servers/<vendor>.py` holds one class derived from `VendorServer`. It answers as the vendor's
public documentation says (sign-in, paging, caps, windows, empty days, quota, errors), over HTTP,
and knows the table that its rows must become. `scenarios.py` asks no more of it than what is here.

All vendors have the same days: rows of `DAYS`, none of `EMPTY_DAY`, and it is `TODAY`. A recipe
that loads by days begins on the first of them, `date(2026, 1, 1)`.
"""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any, ClassVar, Self

from analytics_assets_tests.recipes import servers
from analytics_assets_tests.support.http.exchange import Answer as Answer
from analytics_assets_tests.support.http.exchange import Request as Request
from analytics_assets_tests.support.http.server import Server

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")  # of rows
EMPTY_DAY = "2026-01-04"  # over, and without rows
TODAY = date(2026, 1, 5)  # so that the empty day is the newest that is over
RESTATED_DAY = DAYS[-1]  # within the lookback of each recipe

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of a recipe.

    Args:
        key: the columns by which its rows differ, in the table's names.
        day: the column of a row's day, a date or a time, if the recipe loads it by days; else
            None.
        is_child: true of a table that dlt makes of a list within the rows of another resource,
            such as `invoices__lines__data`. It has no load of its own.
        is_alike: true of a report that another one stands for, as they differ in names alone. It
            is loaded in full, and left out of the further scenarios.
    """

    key: tuple[str, ...] = ("id",)
    day: str | None = None
    is_child: bool = False
    is_alike: bool = False


class VendorServer:
    """A vendor's API over HTTP on 127.0.0.1, for a `with` block.

    A vendor overrides `hosts`, `resources`, `settings`, `answer`, `quota_answer`, `expected` and
    `restate`.
    """

    # what the recipe's `api.py` has as the beginning of a URL, and the path in its place here:
    # {"https://api.vendor.com": ""}. Without an entry, a setting must point the recipe here
    hosts: ClassVar[Mapping[str, str]] = {}
    # the tables by their names
    resources: ClassVar[Mapping[str, Table]] = {}
    # a part of the sentence with which a load fails that meets `quota_answer`; "" if it waits,
    # asks again and succeeds
    quota_sentence: ClassVar[str] = ""

    def __init__(self) -> None:
        self._server = Server(self._answered)
        self._quota_answers = 0

    @property
    def url(self) -> str:
        """The URL of the server, without a slash at its end."""
        return self._server.base_url

    @property
    def seen(self) -> list[Request]:
        """The requests so far."""
        return self._server.requests

    def settings(self) -> dict[str, str]:
        """Return the environment variables that a user of the recipe sets."""
        return {}

    def answer(self, request: Request) -> Answer:
        """Return the vendor's answer to a request."""
        raise NotImplementedError

    def quota_answer(self) -> Answer:
        """Return the answer of the vendor whose quota is used up: status, body and headers."""
        raise NotImplementedError

    def expected(self, resource: str) -> list[Row]:
        """Return all rows that a table must have, by its columns; null may be left out.

        Values are those of JSON, and `date` and `datetime` for columns of these types.
        """
        raise NotImplementedError

    def restate(self, day: str) -> None:
        """Change values of rows of a day that were sent, and add a row that came late."""
        raise NotImplementedError

    def quota(self, times: int) -> None:
        """Answer the next requests as if the quota were used up; a sign-in is none of them."""
        self._quota_answers = times

    @property
    def quota_left(self) -> int:
        """The number of quota answers that no request has met yet."""
        return self._quota_answers

    def is_sign_in(self, request: Request) -> bool:
        """Return True for a request of a token, which no quota limits."""
        return "token" in request.path

    def _answered(self, request: Request) -> Answer:
        if self._quota_answers and not self.is_sign_in(request):
            self._quota_answers -= 1
            return self.quota_answer()
        return self.answer(request)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def vendors() -> list[str]:
    """Return the vendors that have a server."""
    return sorted(found.name for found in pkgutil.iter_modules(servers.__path__))


def server_of(vendor: str) -> VendorServer:
    """Return the server of a vendor, which is not started."""
    module = import_module(f"{servers.__name__}.{vendor}")
    [kind] = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, VendorServer)
        and each.__module__ == module.__name__
    ]
    server: VendorServer = kind()
    return server
