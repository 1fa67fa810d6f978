"""One request: as it was asked for, as it is sent next, and its outcome."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import requests

from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.transport.body import BodyLimit


class Failure(NamedTuple):
    """The reason why no complete answer arrived.

    Args:
        reason: the reason in plain words.
        at_address: True if nothing could be reached at the address.
        is_final: True if another attempt must fail likewise.
    """

    reason: str
    at_address: bool = False
    is_final: bool = False


Answer = Page | Failure
UNSENT = Failure("nothing was sent")


@dataclass(eq=False, slots=True)
class Transfer:
    """A page that is asked for.

    Args:
        asked: the request as it was asked for.
        request: the request to send next: the same, or the one after a redirect.
        limit: of the body.
        outcome: the page, or the error in its place; None until it has arrived.
        attempts: attempts that have failed.
        redirects: redirects that this attempt has followed.
        renewed: True if this attempt was sent again with a new token.
        paused: True if the read received nothing for a while during this attempt.
        began: the time of the first request of this attempt; 0.0 before it.
        failed_at: the time of the last failure.
        due: the time of the next attempt.
        answer: the answer to the last attempt.
        seconds: from the start to the end of that attempt.
        answering: those of them after the connection was open.
        received: bytes of the body that have arrived in that attempt, as they arrived.
    """

    asked: requests.PreparedRequest
    request: requests.PreparedRequest
    limit: BodyLimit
    outcome: Page | Exception | None = None
    attempts: int = 0
    redirects: int = 0
    renewed: bool = False
    paused: bool = False
    began: float = 0.0
    failed_at: float = 0.0
    due: float = 0.0
    answer: Answer = UNSENT
    seconds: float = 0.0
    answering: float = 0.0
    received: int = 0

    def restart(self) -> None:
        """Begin another attempt, with the request that was asked for."""
        self.request, self.outcome = self.asked, None
        self.redirects, self.renewed, self.paused, self.began = 0, False, False, 0.0

    def seconds_left(self, deadline: float) -> float:
        """Return the seconds in which the rest of this attempt must arrive.

        Args:
            deadline: the seconds for the whole attempt, its redirects included.
        """
        if self.redirects or self.renewed:
            return max(0.0, self.began + deadline - time.monotonic())
        self.began = time.monotonic()
        return deadline

    def page(self, status: int, reason: str, headers: Mapping[str, str], content: bytes) -> Page:
        """Return the page of an answer to the request; see `Page`."""
        return Page(self.asked, str(self.request.url), status, headers, content, reason)
