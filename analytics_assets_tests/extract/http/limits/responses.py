"""Responses with limits in them."""

from collections.abc import Mapping
from typing import NamedTuple


class Response(NamedTuple):
    """A response, as far as limits are concerned."""

    status_code: int = 200
    headers: Mapping[str, str] = {}


def quota(left: int, reset: float) -> Response:
    """A response with the rest of a quota."""
    return Response(headers={"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(reset)})
