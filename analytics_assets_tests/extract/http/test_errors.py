"""Errors of requests: those of a quota that is used up."""

import pytest
import requests

from analytics_assets.extract.http.errors import (
    NoAnswerError,
    QuotaError,
    ResponseError,
    is_quota_used_up,
)


def refusal(status: int, text: str = "") -> ResponseError:
    response = requests.Response()
    response.status_code = status
    return ResponseError(f"orders: the API answered {status}: {text}", response=response)


@pytest.mark.parametrize(
    ("error", "is_used_up"),
    [
        (refusal(429), True),
        (refusal(403, '{"reason": "quotaExceeded"}'), True),
        (refusal(403, '{"reason": "userRateLimitExceeded"}'), True),
        (refusal(403, "no permission"), False),
        (refusal(503, "quota"), False),
        (QuotaError("The API accepts no request for another 7200 seconds."), True),
        (NoAnswerError("no connection"), False),
        (ValueError("quota"), False),
    ],
)
def test_a_used_up_quota_is_known_by_its_error(error: Exception, is_used_up: bool) -> None:
    assert is_quota_used_up(error) == is_used_up
    outer = RuntimeError("dlt")
    outer.__cause__ = error
    assert is_quota_used_up(outer) == is_used_up
