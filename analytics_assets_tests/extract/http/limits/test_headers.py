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


@pytest.mark.parametrize("form", ["{moment:.0f}", "{moment:.3f}", "{moment:.0f}000"])
def test_retry_after_in_seconds_since_1970_is_a_wait_until_then(form: str) -> None:
    assert 60 < retry_after(form.format(moment=time.time() + 100)) <= 101


@pytest.mark.parametrize("digits", [400, 5000])
def test_numbers_with_too_many_digits_are_ignored(digits: int) -> None:
    long = "9" * digits

    assert retry_after(long) == 0
    assert quota_of({"X-RateLimit-Remaining": long, "X-RateLimit-Reset": "9"}) is None
    assert quota_of({"X-RateLimit-Remaining": "9", "X-RateLimit-Reset": long}) is None
    assert quota_of({"RateLimit": f'"default";r={long};t=9'}) is None
    assert quota_of({"RateLimit": f'"default";r=9;t={long}'}) is None


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
    "a date": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "{date}"},
    "the draft, a moment": {"RateLimit": "limit=10, remaining=7, reset={moment:.0f}"},
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
    date = date_in(100)
    headers = {name: text.format(moment=moment, date=date) for name, text in FORMS[form].items()}

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
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"},
        {"RateLimit": '"default";r=0'},
    ],
)
def test_half_a_quota_is_none(headers: dict[str, str]) -> None:
    assert quota_of(headers) is None


def test_a_reset_in_the_past_is_no_wait() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000000000"}

    assert quota_of(headers) == Quota(0, 0)
