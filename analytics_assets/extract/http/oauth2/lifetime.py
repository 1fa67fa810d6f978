"""The lifetime of a token, as the token endpoint's response gives it."""

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def lifetime_of(answer: Mapping[str, Any], default: float) -> float:
    """Return the seconds until a token expires.

    Args:
        answer: the response of the token endpoint. `expires_in` is that of RFC 6749 section 5.1;
            `expires_at`, seconds since 1970 or an ISO date and time, is no part of it.
        default: the lifetime where neither can be read.
    """
    for name, seconds_from in (("expires_in", float), ("expires_at", _seconds_until)):
        value = answer.get(name)
        if value is None or isinstance(value, bool):
            continue
        try:
            seconds = seconds_from(value)
        except (ValueError, TypeError, OverflowError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return default


def _seconds_until(moment: Any) -> float:
    try:
        timestamp = float(moment)
    except ValueError:
        until = datetime.fromisoformat(moment)
        timestamp = (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp()
    return timestamp - time.time()
