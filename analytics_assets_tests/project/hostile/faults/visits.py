"""An API of visits behind OAuth2, and faults of its pages and of its token endpoint."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from analytics_assets_tests.support.http.exchange import Answer, Exchange, Request
from analytics_assets_tests.support.http.fault import Does, Fault
from analytics_assets_tests.support.http.server import Server

PATH = "/v1/visits"
TOKEN_PATH = "/token"


class VisitsServer(Server):
    """Serves rows by offset and limit to clients with a token.

    Args:
        rows: What the API has; may be changed while it runs.
        token_lifetime: Seconds after which a token is refused.
        stated_lifetime: The lifetime that the token endpoint states; the true one if not given.
    """

    def __init__(
        self, rows: list[Any], token_lifetime: float = 3600, stated_lifetime: float | None = None
    ) -> None:
        self._tokens: dict[str, float] = {}
        super().__init__(self._answer_to, revoke_tokens=self._tokens.clear)
        self.rows = rows
        self.token_lifetime = token_lifetime
        self.stated_lifetime = stated_lifetime
        # a process keeps tokens by client, and a later server may get the same port
        self.client_id = f"client-{uuid4().hex}"

    def play(self, fault: Fault | None) -> None:
        """Start a new journal, with this fault and no other."""
        self.faults.clear()
        self.requests.clear()
        if fault:
            self.faults.add(fault)

    def recover(self) -> None:
        """End the fault, and make tokens live for an hour."""
        self.play(None)
        self.token_lifetime = 3600

    def count(self, path: str = PATH) -> int:
        """Return how many requests for a path there were."""
        return sum(request.path == path for request in self.requests)

    def issue_token(self) -> str:
        """Make a token that is valid from now on."""
        token = uuid4().hex
        self._tokens[f"Bearer {token}"] = time.monotonic() + self.token_lifetime
        return token

    def _answer_to(self, request: Request) -> Answer:
        if request.path == TOKEN_PATH:
            stated = self.token_lifetime if self.stated_lifetime is None else self.stated_lifetime
            return Answer({"access_token": self.issue_token(), "expires_in": stated})
        if self._tokens.get(request.headers.get("authorization", ""), 0) < time.monotonic():
            return Answer({"error": "invalid_token"}, 401)
        offset, limit = request.number("offset"), request.number("limit", 100)
        return Answer({"data": self.rows[offset : offset + limit], "total": len(self.rows)})


def once(does: Does | None = None, offset: int | None = 200, **kind: Any) -> Fault:
    """A fault of one request for the page at `offset`."""
    return Fault(**{"path": PATH, "offset": offset, "does": does, "times": 1, **kind})


def always(does: Does | None = None, offset: int | None = 200, **kind: Any) -> Fault:
    """A fault of every request for the page at `offset`; None is every page."""
    return Fault(**{"path": PATH, "offset": offset, "does": does, "times": None, **kind})


def at_token(does: Does | None = None, times: int | None = None, **kind: Any) -> Fault:
    """A fault of the token endpoint."""
    return Fault(path=TOKEN_PATH, does=does, times=times, **kind)


def token_answer(**fields: Any) -> Does:
    """Issue a token, with these other fields in the answer."""
    return lambda exchange: exchange.reply(
        {"access_token": exchange.page["access_token"], **fields}
    )


def rows(change: Callable[[list[Any]], object]) -> Does:
    """Change the API's rows, then answer properly."""

    def does(exchange: Exchange) -> None:
        change(exchange.server.rows)
        exchange.answer(exchange.proper())

    return does
