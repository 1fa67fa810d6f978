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
        value: seconds or a date (RFC 9110 section 10.2.3).
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def quota_of(headers: Mapping[str, str]) -> Quota | None:
    """Return the rest of an API's quota; None if the headers do not have it.

    Args:
        headers: `X-RateLimit-Remaining` and `-Reset` (seconds, or seconds or milliseconds since
            1970), or the fields of draft-ietf-httpapi-ratelimit-headers in any of its versions.
    """
    policies = [_structured(part) for part in POLICIES.split(headers.get("RateLimit", ""))]
    known = [policy for policy in policies if policy]
    if known:
        return min(known, key=lambda policy: (policy.remaining, -policy.reset))
    given = next((headers[name] for name in REMAINING if name in headers), "")
    until = next((headers[name] for name in RESET if name in headers), "")
    try:
        remaining, reset = int(given), float(until)
    except ValueError:
        return None
    return Quota(max(0, remaining), _seconds(reset)) if math.isfinite(reset) else None


def _structured(policy: str) -> Quota | None:
    remaining = re.search(r"\b(?:r|remaining)=(\d+)", policy)
    reset = re.search(r"\b(?:t|reset)=(\d+)", policy)
    return Quota(int(remaining[1]), float(reset[1])) if remaining and reset else None


def _seconds(reset: float) -> float:
    if reset >= MILLISECONDS:
        reset /= 1000
    return max(0.0, reset - time.time() if reset >= EPOCH else reset)
