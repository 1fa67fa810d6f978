from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from analytics_assets.extract.http.oauth2.lifetime import lifetime_of

DEFAULT = 7.0
FAR, PAST = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=1)
WESTERN = timezone(timedelta(hours=-9))


@pytest.mark.parametrize(
    ("answer", "lifetime"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_in": "3600"}, 3600),
        ({"expires_in": 0}, 0),
        ({"expires_in": -5}, 0),
        ({"expires_in": 3600, "expires_at": PAST.timestamp()}, 3600),
        ({"expires_at": PAST.timestamp()}, 0),
        ({"expires_at": PAST.strftime("%Y-%m-%dT%H:%M:%SZ")}, 0),
        ({"expires_at": PAST.astimezone(WESTERN).isoformat()}, 0),
        ({}, DEFAULT),
        ({"expires_in": "soon", "expires_at": "later"}, DEFAULT),
        ({"expires_in": "9" * 5000}, DEFAULT),
        ({"expires_in": 10**400}, DEFAULT),
        ({"expires_at": "9" * 5000}, DEFAULT),
        ({"expires_in": None, "expires_at": True}, DEFAULT),
        ({"expires_in": [1], "expires_at": {"days": 1}}, DEFAULT),
    ],
)
def test_the_lifetime_is_that_of_the_response_or_the_default(
    answer: dict[str, Any], lifetime: float
) -> None:
    assert lifetime_of(answer, DEFAULT) == lifetime


@pytest.mark.parametrize(
    "expires_at",
    [
        FAR.timestamp(),
        str(int(FAR.timestamp())),
        FAR.strftime("%Y-%m-%dT%H:%M:%SZ"),
        FAR.strftime("%Y-%m-%dT%H:%M:%S.903607271Z"),
        FAR.astimezone(WESTERN).isoformat(),
    ],
    # the same in each worker
    ids=["seconds", "seconds as text", "UTC", "nanoseconds", "another time zone"],
)
def test_a_moment_is_read_as_seconds_since_1970_and_as_a_date_with_its_zone(
    expires_at: Any,
) -> None:
    # tests may be collected long before they run
    assert 1800 < lifetime_of({"expires_at": expires_at}, DEFAULT) <= 3600
