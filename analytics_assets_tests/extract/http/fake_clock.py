"""A clock that a test sets, and responses with limits in them."""

from collections.abc import Mapping
from typing import NamedTuple


class FakeClock:
    """Seconds that pass by sleeping alone."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Response(NamedTuple):
    """A response, as far as limits are concerned."""

    status_code: int = 200
    headers: Mapping[str, str] = {}


def quota(left: int, reset: float) -> Response:
    """A response with the rest of a quota."""
    return Response(headers={"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(reset)})
