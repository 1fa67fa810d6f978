"""Headers by which an API limits requests: `Retry-After` and quotas."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

EPOCH = 1_000_000_000  # a larger reset is a moment, a smaller one is seconds
MILLISECONDS = 100_000_000_000
REMAINING = ("RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining")
RESET = ("RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset")
POLICIES = re.compile(r",(?=\s*\")")  # "burst";r=1;t=2, "daily";r=100;t=3600


class Quota(NamedTuple):
    """The rest of a quota of requests.

    Args:
        remaining: the requests that are left.
        reset: seconds until there are more.
    """

    remaining: int
    reset: float


def retry_after(value: str) -> float:
    """Return the seconds that a `Retry-After` asks to wait; 0 if it cannot be read or has passed.

    Args:
        value: seconds or a date (RFC 9110 section 10.2.3), or seconds or milliseconds since 1970.
    """
    return _seconds_until(value) or 0.0


def quota_of(headers: Mapping[str, str]) -> Quota | None:
    """Return the rest of an API's quota; None if the headers do not have it.

    Args:
        headers: `X-RateLimit-Remaining` and `-Reset` (in any form of `Retry-After`), or the fields
            of draft-ietf-httpapi-ratelimit-headers in any of its versions.
    """
    if policies := headers.get("RateLimit"):
        known = [each for each in map(_structured, POLICIES.split(policies)) if each]
        if known:
            return min(known, key=lambda policy: (policy.remaining, -policy.reset))
    remaining = _number(next((headers[name] for name in REMAINING if name in headers), ""))
    if remaining is None:
        return None
    reset = _seconds_until(next((headers[name] for name in RESET if name in headers), ""))
    return None if reset is None else Quota(max(0, int(remaining)), reset)


def _structured(policy: str) -> Quota | None:
    remaining = re.search(r"\b(?:r|remaining)=(\d+)", policy)
    reset = re.search(r"\b(?:t|reset)=(\d+)", policy)
    left, wait = _number(remaining and remaining[1]), _seconds_until((reset and reset[1]) or "")
    return None if left is None or wait is None else Quota(int(left), wait)


def _seconds_until(text: str) -> float | None:
    """Return the seconds until a moment: a number of seconds, a date, or a time since 1970."""
    moment = _number(text)
    if moment is None:
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None
    if moment >= MILLISECONDS:
        moment /= 1000
    return max(0.0, moment - time.time() if moment >= EPOCH else moment)


def _number(text: str | None) -> float | None:
    """Return a finite number; None for any other text, and for more digits than a double has."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
