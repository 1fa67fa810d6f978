from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from dlt.common.configuration import resolve_configuration
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from analytics_assets.extract.http.errors import BodyError, NoAnswerError, ResponseError
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.session import ApiSession
from analytics_assets_tests.extract.http.conftest import (
    PATH,
    ROWS,
    client_of,
    failed_read,
    read,
)
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

RETRIED = [429, 500, 502, 503, 504]
Answered = Callable[[], list[int | None]]


class Failing(BaseAdapter):
    """An API that always answers with the same status."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._status, self._headers = status, headers

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        response.status_code, response._content = self._status, b""
        response.headers = CaseInsensitiveDict(self._headers)
        return response

    def close(self) -> None:
        pass


def waits(status: int = 503, headers: Mapping[str, str] | None = None, **changes: Any) -> list[Any]:
    """Return the seconds between the attempts of a request."""
    settings = RequestSettings()
    for name, value in changes.items():
        setattr(settings, name, value)
    slept: list[float] = []
    session = ApiSession(Failing(status, headers or {}), settings, sleep=slept.append)

    assert session.get("http://api.test").status_code == status
    return slept


def test_three_retries_wait_two_seconds_and_twice_as_long_each_time() -> None:
    assert waits() == [2, 4, 8]


def test_the_number_of_attempts_and_the_backoff_are_settings() -> None:
    assert waits(request_max_attempts=3, request_backoff_factor=0.5) == [0.5, 1]
    assert waits(request_max_attempts=1) == []
    assert waits(request_max_retry_delay=5) == [2, 4, 5]


def test_the_defaults_of_this_project_are_not_those_of_dlt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME__REQUEST_BACKOFF_FACTOR")

    settings = resolve_configuration(RequestSettings())

    assert (settings.request_max_attempts, settings.request_backoff_factor) == (4, 2)
    assert settings.request_timeout == 60


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_respected(status: int) -> None:
    assert waits(status, {"Retry-After": "17"}) == [17, 17, 17]


def test_retry_after_as_a_date_is_respected() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    headers = {"Retry-After": format_datetime(moment, usegmt=True)}

    assert all(90 < wait <= 100 for wait in waits(429, headers))


@pytest.mark.parametrize("value", ["when it suits you", "0", "Mon, 05 Jan 2026 00:00:00 GMT"])
def test_a_retry_after_that_is_unreadable_or_over_is_ignored(value: str) -> None:
    assert waits(429, {"Retry-After": value}) == [2, 4, 8]


def test_retry_after_is_cut_to_the_maximum_delay() -> None:
    assert waits(429, {"Retry-After": "86400"}) == [3600] * 3


@pytest.mark.parametrize("status", RETRIED)
def test_a_temporary_failure_is_retried(api: Sandbox, answered: Answered, status: int) -> None:
    api.faults.add(Fault(path=PATH, status=status, times=3))

    assert read(client_of(api)) == ROWS
    assert answered() == [status, status, status, 200]


@pytest.mark.parametrize("status", RETRIED)
def test_a_lasting_failure_is_an_error_after_three_retries(
    api: Sandbox, answered: Answered, status: int
) -> None:
    api.faults.add(Fault(path=PATH, status=status, times=None))

    error = failed_read(client_of(api), api_key="hunter2-key")

    assert answered() == [status] * 4
    assert isinstance(error, ResponseError)
    assert f"answered {status}" in str(error)


@pytest.mark.parametrize("status", [400, 403, 404, 408, 501])
def test_any_other_failure_is_an_error_at_once_with_the_start_of_the_body(
    api: Sandbox, answered: Answered, status: int
) -> None:
    body = "first part, " * 10 + "middle, " * 100 + "last part"
    api.faults.add(Fault(path=PATH, status=status, body=body, times=None))

    error = failed_read(client_of(api), api_key="hunter2-key")
    message = str(error)

    assert answered() == [status]
    assert message.startswith(f"overview: GET {api.base_url}{PATH}?api_key=***")
    assert f"answered {status}" in message
    assert "first part" in message
    assert "last part" not in message


def test_a_redirect_does_not_multiply_the_retries(api: Sandbox, answered: Answered) -> None:
    api.faults.add(
        Fault(path="/v1/old", status=307, headers={"location": f"{api.base_url}{PATH}"}, times=None)
    )
    api.faults.add(Fault(path=PATH, status=503, times=None))

    failed_read(client_of(api), path="/v1/old")

    assert answered() == [503] * 4


BROKEN: dict[str, dict[str, Any]] = {
    "drop": {"drop": True},
    "cut body": {"cut_body": True},
    "no JSON": {"body": "<h1>Hello</h1>", "content_type": "text/html"},
    "empty": {"body": ""},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_response_is_retried(api: Sandbox, answered: Answered, kind: str) -> None:
    api.faults.add(Fault(path=PATH, times=3, **BROKEN[kind]))

    assert read(client_of(api)) == ROWS
    assert len(answered()) == 4


@pytest.mark.parametrize("kind", BROKEN)
def test_a_response_that_stays_broken_is_an_error_with_its_kind(
    api: Sandbox, answered: Answered, kind: str
) -> None:
    api.faults.add(Fault(path=PATH, times=None, **BROKEN[kind]))

    error = failed_read(client_of(api), api_key="hunter2-key")

    complete = kind in ("no JSON", "empty")
    assert len(answered()) == 4
    assert isinstance(error, BodyError if complete else NoAnswerError)
    assert ("not JSON" if complete else "no whole answer") in str(error)
    assert f"GET {api.base_url}{PATH}?api_key=***" in str(error)
