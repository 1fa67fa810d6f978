import base64
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets.redaction.redactor import Redactor, redact
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import TOKEN, chain, recording

SECRET = "marked/secret+word"
REFRESH_TOKEN = f"{SECRET}-refresh"
SPELLINGS = ("marked/secret", "marked%2Fsecret", "bWFya2VkL3NlY3JldC")  # plain, form, base64
PAGE_VIEWS = "/v1/page_views"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"as it is: {SECRET}", "as it is: ***"),
        ("in a URL: marked%2Fsecret%2Bword", "in a URL: ***"),
        (f"twice: {SECRET}{SECRET}", "twice: ******"),
        (f"with another one: {REFRESH_TOKEN}", "with another one: ***"),
        ("nothing", "nothing"),
    ],
)
def test_every_spelling_of_every_secret_is_removed(text: str, redacted: str) -> None:
    assert Redactor([SECRET, REFRESH_TOKEN])(text) == redacted


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("two words", "two+words"),  # in a form
        ('a "quoted" word', 'a \\"quoted\\" word'),  # in JSON
        ("sécrèt", "s\\u00e9cr\\u00e8t"),
    ],
)
def test_a_secret_is_removed_as_forms_and_json_spell_it(secret: str, text: str) -> None:
    assert Redactor([secret])(f"you sent {text}.") == "you sent ***."


def test_a_secret_that_is_too_short_to_be_one_stays() -> None:
    assert Redactor(["id", ""])("an id") == "an id"


@pytest.fixture
def guarded() -> Iterator[Sandbox]:
    """An API whose client secret and refresh token are marked."""
    client = f"client-{uuid4().hex}"
    with Sandbox(
        today=TODAY, client_id=client, client_secret=SECRET, refresh_token=REFRESH_TOKEN
    ) as sandbox:
        yield sandbox


def read(client: dict[str, Any]) -> None:
    endpoint = {"path": PAGE_VIEWS, "data_selector": "data", "paginator": "single_page"}
    config = {"client": client, "resources": [{"name": "page_views", "endpoint": endpoint}]}
    list(rest_api_source(config, "shop").resources["page_views"])


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path=TOKEN, times=None, status=400, body=f'{{"error": "{SECRET}"}}'),
        Fault(path=TOKEN, times=None, status=401, body=f"you sent {SECRET}"),
        Fault(path=TOKEN, times=None, drop=True),
        Fault(path=PAGE_VIEWS, times=None, status=403, body=f"not with {REFRESH_TOKEN}"),
        Fault(path=PAGE_VIEWS, times=None, body=f"<html>{SECRET}</html>"),
    ],
    ids=["token error", "token text", "no token", "error body", "html"],
)
def test_the_error_of_a_failed_read_has_no_secret_even_if_the_api_repeats_it(
    guarded: Sandbox, fault: Fault
) -> None:
    guarded.faults.add(fault)
    auth = {
        "type": "oauth2",
        "token_url": guarded.token_url,
        "client_id": guarded.client_id,
        "client_secret": SECRET,
        "refresh_token": REFRESH_TOKEN,
    }

    with pytest.raises(Exception, match="page_views") as failure:
        read({"base_url": guarded.base_url, "auth": auth})

    shown = chain(failure.value)
    assert not [spelling for spelling in SPELLINGS if spelling in shown]


def test_a_token_that_is_issued_after_the_source_was_made_is_not_in_an_error(
    guarded: Sandbox,
) -> None:
    issued = f"token-{uuid4().hex}"
    guarded.faults.add(Fault(path=PAGE_VIEWS, times=None, status=403, body=f"not with {issued}"))
    auth = {
        "type": "oauth2",
        "token_url": guarded.token_url,
        "client_id": guarded.client_id,
        "client_secret": SECRET,
    }
    client = {"base_url": guarded.base_url, "auth": auth}
    connection = connect(client, "shop")
    endpoint = {"path": PAGE_VIEWS, "data_selector": "data", "paginator": "single_page"}
    config = {"client": client, "resources": [{"name": "page_views", "endpoint": endpoint}]}
    source = rest_api_source(config, "shop", connection)

    redact.add(issued)
    with pytest.raises(Exception, match="page_views") as failure:
        list(source.resources["page_views"])

    assert "not with ***" in chain(failure.value)
    assert issued not in chain(failure.value)


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
        pytest.raises(Exception, match="page_views") as failure,
    ):
        read({"base_url": api.url(), "auth": auth})

    assert "answered 400" in chain(failure.value)
    assert "hunter2-token" not in chain(failure.value)
    assert basic_credentials("me", "hunter2-token") not in chain(failure.value)
