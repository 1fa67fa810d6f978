import base64
import errno
import gzip
import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from dlt.common.configuration import resolve_configuration

from analytics_assets.config.errors import find_cause
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import ApiError, BodyError, NoAnswerError, ResponseError
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.session import build_session
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.source import rest_api_source
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.faults.visits import VisitsServer
from analytics_assets_tests.support.http.exchange import Exchange, head
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import chain, recording, statuses

PATH = "/v1/website_overview"
ROWS = sandbox_rows("website_overview", TODAY)
Answered = Callable[[], list[int | None]]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(today=TODAY, client_id=secrets.token_hex(8)) as running:
        yield running


@pytest.fixture
def api(shared: Sandbox) -> Iterator[Sandbox]:
    """The module's API, with nothing wrong before or after."""
    yield shared
    shared.faults.clear()


def client_of(api: Sandbox) -> dict[str, Any]:
    auth = {
        "type": "oauth2",
        "token_url": api.token_url,
        "client_id": api.client_id,
        "client_secret": api.client_secret,
    }
    return {"base_url": api.base_url, "auth": auth}


def read(
    client: dict[str, Any],
    connection: Connection | None = None,
    path: str = PATH,
    **params: Any,
) -> list[dict[str, Any]]:
    endpoint = {
        "path": path,
        "data_selector": "data",
        "params": params,
        "paginator": "single_page",
    }
    config = {"client": client, "resources": [{"name": "overview", "endpoint": endpoint}]}
    return list(rest_api_source(config, "shop", connection).resources["overview"])


def failed_read(client: dict[str, Any], path: str = PATH, **params: Any) -> ApiError:
    with pytest.raises(Exception, match="overview") as failure:
        read(client, path=path, **params)
    error = find_cause(failure.value, ApiError)
    assert isinstance(error, ApiError)
    for secret in (*params.values(), client.get("auth", {}).get("client_secret", "sandbox-secret")):
        assert secret not in chain(failure.value)
    return error


@pytest.fixture
def answered(api: Sandbox) -> Answered:
    """Tells the statuses of the test's own requests so far."""
    before = len(statuses(api, PATH))
    return lambda: statuses(api, PATH)[before:]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_retried_until_it_has_passed(
    api: Sandbox, answered: Answered, status: int
) -> None:
    api.faults.add(Fault(path=PATH, status=status, times=3))

    assert read(client_of(api)) == ROWS
    assert answered() == [status, status, status, 200]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_that_stays_is_given_up_after_three_retries(
    api: Sandbox, answered: Answered, status: int
) -> None:
    api.faults.add(Fault(path=PATH, status=status, times=None))

    error = failed_read(client_of(api), api_key="hunter2-key")

    assert answered() == [status] * 4
    assert isinstance(error, ResponseError)
    assert f"answered {status}" in str(error)


def test_a_redirect_does_not_multiply_the_retries(api: Sandbox, answered: Answered) -> None:
    api.faults.add(
        Fault(path="/v1/old", status=307, headers={"location": f"{api.base_url}{PATH}"}, times=None)
    )
    api.faults.add(Fault(path=PATH, status=503, times=None))

    failed_read(client_of(api), path="/v1/old")

    assert answered() == [503] * 4


@pytest.mark.parametrize("status", [400, 403, 404, 408, 501])
def test_a_failure_that_will_not_pass_fails_at_once_and_says_what_came(
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


def test_an_error_with_an_empty_body_says_so(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, status=404, body=""))

    assert str(failed_read(client_of(api))).endswith("and `base_url`) and an empty body.")


def test_the_waits_between_retries_double(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.1")
    with recording(lambda _sent: (503, {}, "{}")) as down:
        failed_read({"base_url": down.url()})
        moments = [sent.moment for sent in down.sent]

    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert len(waits) == 3
    assert all(wait >= least for wait, least in zip(waits, (0.1, 0.2, 0.4), strict=True))


def test_unless_set_otherwise_three_retries_wait_two_seconds_and_twice_as_long_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RUNTIME__REQUEST_BACKOFF_FACTOR")

    settings = resolve_configuration(RequestSettings())

    assert (settings.request_max_attempts, settings.request_backoff_factor) == (4, 2)
    assert settings.request_timeout == 60


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_waited_for(api: Sandbox, status: int) -> None:
    api.faults.add(Fault(path=PATH, status=status, retry_after="1"))
    started = time.monotonic()

    assert read(client_of(api)) == ROWS
    assert time.monotonic() - started >= 1


def test_retry_after_as_a_date_is_waited_for(api: Sandbox) -> None:
    moment = (datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0)
    retry_after = format_datetime(moment, usegmt=True)
    api.faults.add(Fault(path=PATH, status=429, retry_after=retry_after))

    assert read(client_of(api)) == ROWS
    assert datetime.now(UTC) >= moment


def test_an_unreadable_retry_after_is_no_trouble(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, status=429, retry_after="when it suits you"))

    assert read(client_of(api)) == ROWS


BROKEN: dict[str, dict[str, Any]] = {
    "drop": {"drop": True},
    "cut body": {"cut_body": True},
    "no JSON": {"body": "<h1>Hello</h1>", "content_type": "text/html"},
    "empty": {"body": ""},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_answer_is_asked_for_again(api: Sandbox, answered: Answered, kind: str) -> None:
    api.faults.add(Fault(path=PATH, times=3, **BROKEN[kind]))

    assert read(client_of(api)) == ROWS
    assert len(answered()) == 4


@pytest.mark.parametrize("kind", BROKEN)
def test_answers_that_stay_broken_are_an_error_that_says_what_came(
    api: Sandbox, answered: Answered, kind: str
) -> None:
    api.faults.add(Fault(path=PATH, times=None, **BROKEN[kind]))

    error = failed_read(client_of(api), api_key="hunter2-key")

    whole = kind in ("no JSON", "empty")
    assert len(answered()) == 4
    assert isinstance(error, BodyError if whole else NoAnswerError)
    assert ("not JSON" if whole else "no whole answer") in str(error)
    assert f"GET {api.base_url}{PATH}?api_key=***" in str(error)


def test_an_answer_that_takes_too_long_is_asked_for_again(
    api: Sandbox, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.5")
    api.faults.add(Fault(path=PATH, delay=60))

    assert read(client_of(api)) == ROWS
    assert len(answered()) > 1


def test_answers_that_never_come_in_time_are_an_error_that_says_so(
    api: Sandbox, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.5")
    api.faults.add(Fault(path=PATH, delay=60, times=None))

    error = failed_read(client_of(api), api_key="hunter2-key")

    assert len(answered()) == 4
    assert isinstance(error, NoAnswerError)
    assert "Read timed out" in str(error)


def dripping(exchange: Exchange, packed: bool = False) -> None:
    """Send a body byte by byte, each within the timeout, as long as the other end listens."""
    content = gzip.compress(os.urandom(4000)) if packed else b'{"data": [' + b" " * 4000 + b"]}"
    encoding = {"Content-Encoding": "gzip"} if packed else {}
    length = {"Content-Length": str(len(content))}
    pieces = [content[place : place + 1] for place in range(len(content))]
    exchange.send(head(200, {**length, **encoding}), *pieces, pause=0.02)


def dripping_packed(exchange: Exchange) -> None:
    dripping(exchange, packed=True)


def chunks_that_drip(exchange: Exchange) -> None:
    exchange.send(head(200, {"Transfer-Encoding": "chunked"}), *[b"1\r\n \r\n"] * 4000, pause=0.02)


def visits(server: VisitsServer) -> list[Any]:
    token = {"type": "bearer", "token": server.issue_token()}
    return read({"base_url": server.base_url, "auth": token}, path="/v1/visits")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_DEADLINE", "0.3")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("drip", [dripping, dripping_packed, chunks_that_drip])
def test_an_answer_that_drips_for_ever_is_given_up_and_the_error_names_the_deadline(
    drip: Callable[[Exchange], None],
) -> None:
    with VisitsServer([]) as server:
        server.play(Fault(does=drip, times=None))
        with pytest.raises(Exception, match="overview") as failure:
            visits(server)

    error = find_cause(failure.value, NoAnswerError)
    assert "no whole answer: its pieces took longer than `request_deadline`, 0.3" in str(error)
    assert server.count() == 4


@pytest.mark.usefixtures("hurried")
def test_an_answer_that_drips_once_is_asked_for_again() -> None:
    with VisitsServer([{"id": 1}]) as server:
        server.play(Fault(does=dripping))

        assert visits(server) == [{"id": 1}]
        assert server.count() == 2


@pytest.mark.parametrize("size", [0, 10, 200_000])
def test_a_packed_body_is_unpacked_whatever_its_size(size: int) -> None:
    found = [{"id": 1, "text": secrets.token_hex(size)}]
    packed = gzip.compress(json.dumps({"data": found}).encode())

    with VisitsServer([]) as server:
        headers = {"Content-Encoding": "gzip"}
        server.play(Fault(body=packed, headers=headers, times=None))

        assert visits(server) == found


def test_a_cookie_comes_back_with_the_next_request() -> None:
    with recording(lambda _sent: (200, {"Set-Cookie": "shop=7"}, '{"data": []}')) as api:
        connection = connect({"base_url": api.url()}, "shop")
        read({"base_url": api.url()}, connection)
        read({"base_url": api.url()}, connection)

        assert [sent.headers.get("cookie") for sent in api.sent] == [None, "shop=7"]


def test_an_api_that_is_not_there_is_an_error_that_says_so() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

        error = failed_read({"base_url": url}, api_key="hunter2-key")

    assert isinstance(error, NoAnswerError)
    assert f"GET {url}{PATH}?api_key=***" in str(error)
    assert os.strerror(errno.ECONNREFUSED) in str(error)
    assert str(error).endswith("(check `base_url`)")


def test_traffic_counts_what_was_sent_and_how_long_it_took(
    api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.1")
    api.faults.add(Fault(path=PATH, status=503, times=2))
    api.faults.add(Fault(path=PATH, delay=0.2, after=2))
    connection = connect(client_of(api), "shop")

    assert read(client_of(api), connection) == ROWS
    traffic = connection.traffic
    assert (traffic.requests, traffic.retries) == (3, 2)
    assert traffic.seconds_answering >= 0.2
    assert traffic.seconds_backing_off >= 0.3
    assert traffic.seconds_waiting == traffic.seconds_answering + traffic.seconds_backing_off


def test_traffic_counts_a_request_sent_again_with_a_new_token_as_a_retry(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, expired_token=True))
    connection = connect(client_of(api), "shop")

    assert read(client_of(api), connection) == ROWS
    assert (connection.traffic.requests, connection.traffic.retries) == (2, 1)


def test_traffic_counts_requests_that_never_got_an_answer(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, drop=True, times=2))
    connection = connect(client_of(api), "shop")

    assert read(client_of(api), connection) == ROWS
    assert (connection.traffic.requests, connection.traffic.retries) == (3, 2)


def test_traffic_of_one_connection_is_none_of_another(api: Sandbox) -> None:
    busy, idle = connect(client_of(api), "shop"), connect(client_of(api), "shop")

    read(client_of(api), busy)

    assert (busy.traffic.requests, busy.traffic.retries) == (1, 0)
    assert idle.traffic == Traffic()


def test_traffic_adds_up_over_threads() -> None:
    traffic = Traffic()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(2000):
            pool.submit(traffic.record, 0.5, 0.25)

    assert (traffic.requests, traffic.retries) == (2000, 2000)
    assert (traffic.seconds_answering, traffic.seconds_backing_off) == (1000, 500)


def test_the_environment_is_read_once_per_host(monkeypatch: pytest.MonkeyPatch) -> None:
    session = build_session()
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    first = session.merge_environment_settings("http://a.test/1", {}, None, None, None)
    monkeypatch.setenv("HTTP_PROXY", "http://other.test:3128")

    same = session.merge_environment_settings("http://a.test/2", {}, None, None, None)
    other = session.merge_environment_settings("http://b.test/1", {}, None, None, None)

    assert first["proxies"]["http"] == same["proxies"]["http"] == "http://proxy.test:3128"
    assert other["proxies"]["http"] == "http://other.test:3128"


@pytest.mark.parametrize("given", [{"verify": False}, {"cert": "file"}, {"stream": True}])
def test_a_setting_of_one_request_goes_before_the_environment(given: dict[str, Any]) -> None:
    unset: dict[str, Any] = {"proxies": {}, "stream": None, "verify": None, "cert": None}

    merged = build_session().merge_environment_settings("http://a.test", **{**unset, **given})

    assert given.items() <= merged.items()


def basic_credentials(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token": "hunter2-token"},
        {"type": "api_key", "name": "X-Shop", "api_key": "hunter2-token", "location": "header"},
        {"type": "api_key", "name": "shop_pass", "api_key": "hunter2-token", "location": "query"},
        {"type": "http_basic", "username": "me", "password": "hunter2-token"},
    ],
)
def test_the_secret_of_any_other_auth_is_not_in_the_error_either(auth: dict[str, str]) -> None:
    with (
        recording(lambda sent: (400, {}, str(sent.headers.get("authorization")))) as api,
        pytest.raises(Exception, match="overview") as failure,
    ):
        read({"base_url": api.url(), "auth": auth})

    assert "answered 400" in chain(failure.value)
    assert "hunter2-token" not in chain(failure.value)
    assert basic_credentials("me", "hunter2-token") not in chain(failure.value)
