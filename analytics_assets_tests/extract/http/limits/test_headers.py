import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from analytics_assets.extract.http.limits.headers import Quota, quota_of, retry_after


def date_in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    assert retry_after("120") == 120
    assert retry_after(" 7 ") == 7
    assert 98 < retry_after(date_in(100)) <= 100


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "Mon, 05 Jan 2026 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    ],
)
def test_a_retry_after_that_cannot_be_read_or_is_over_is_no_wait(value: str) -> None:
    assert retry_after(value) == 0


FORMS = {
    "seconds": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "100"},
    "a moment": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "{moment:.0f}"},
    "a moment with a fraction": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "{moment:.3f}"},
    "milliseconds": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "{moment:.0f}000"},
    "another dash": {"X-Rate-Limit-Remaining": "7", "X-Rate-Limit-Reset": "100"},
    "the draft, three fields": {"RateLimit-Remaining": "7", "RateLimit-Reset": "100"},
    "the draft, one field": {"RateLimit": "limit=10, remaining=7, reset=100"},
    "the draft, structured": {"RateLimit": '"default";r=7;t=100'},
    "the draft, the other way round": {"RateLimit": '"default";t=100;r=7'},
    "the draft, several policies": {"RateLimit": '"day";r=900;t=5000, "minute";r=7;t=100'},
    "the draft goes first": {
        "RateLimit": '"default";r=7;t=100',
        "X-RateLimit-Remaining": "1",
        "X-RateLimit-Reset": "1",
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_a_quota_is_read_in_every_form(form: str) -> None:
    moment = time.time() + 100  # of this test, which may begin long after it was collected
    headers = {name: value.format(moment=moment) for name, value in FORMS[form].items()}

    found = quota_of(headers)

    assert found is not None
    assert found.remaining == 7
    assert 60 < found.reset <= 101


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Reset": "100"},
        {"X-RateLimit-Remaining": "few", "X-RateLimit-Reset": "100"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "inf"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "nan"},
        {"RateLimit": '"default";r=0'},
    ],
)
def test_half_a_quota_is_none(headers: dict[str, str]) -> None:
    assert quota_of(headers) is None


def test_a_reset_in_the_past_is_no_wait() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000000000"}

    assert quota_of(headers) == Quota(0, 0)
