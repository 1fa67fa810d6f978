"""Statuses by which an API asks to be asked again, later or more slowly."""

from collections.abc import Mapping

import requests

from analytics_assets.extract.http.limits.headers import quota_of

RETRIED_STATUSES = (429, 500, 502, 503, 504)
THROTTLED = (429, 503)


def is_throttled(status: int, headers: Mapping[str, str]) -> bool:
    """Return True if an API limits requests by an answer.

    Some, such as GitHub's, answer 403 then, and name the wait or a quota without a request left:
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api

    Args:
        status: the status of the answer.
        headers: its headers, by any case of their names.

    Example:
        >>> [is_throttled(status, {}) for status in (200, 403, 429)]
        [False, False, True]
        >>> is_throttled(403, {"Retry-After": "60"})
        True
        >>> is_throttled(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"})
        True
    """
    if status != requests.codes.forbidden:
        return status in THROTTLED
    quota = quota_of(headers)
    return bool(headers.get("Retry-After")) or (quota is not None and not quota.remaining)


def is_retried(status: int, headers: Mapping[str, str]) -> bool:
    """Return True for an answer after which the request is sent again.

    Args:
        status: the status of the answer.
        headers: its headers, by any case of their names.
    """
    return status in RETRIED_STATUSES or is_throttled(status, headers)
