"""Values that a configuration leaves open, at any depth, and user names in URLs."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import MissingSettingError
from analytics_assets.config.settings.look_up import check_url
from analytics_assets.config.validation.entries import validate_entries
from analytics_assets.extract.source import rest_api_source
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.redaction.redactor import redact
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.token_server import chain

OPEN = dlt.secrets.value
SECRET = "s3cret/from+outside"
BASIC = f"Basic {b64encode(b'me:s3cret/from+outside').decode()}"
IN_URL = "me:s3cret%2Ffrom%2Boutside@"


@pytest.fixture
def api() -> Iterator[Server]:
    with Server(lambda _: Answer([{"id": 1}])) as server:
        yield server


def config_of(base_url: str, endpoint: Any, **client: Any) -> dict[str, Any]:
    entry = {"name": "orders", "endpoint": {"path": "orders", "paginator": "single_page"}}
    entry["endpoint"] = {**entry["endpoint"], **endpoint}  # type: ignore[dict-item]
    return {"client": {"base_url": base_url, **client}, "resources": [entry]}


def request_of(api: Server, config: Any) -> Request:
    """Return the request of a read, which succeeds."""
    assert list(rest_api_source(config, "shop").resources["orders"]) == [{"id": 1}]
    return api.requests[-1]


PLACES = [
    pytest.param({"headers": {"X-API-Key": OPEN}}, {}, "x_api_key", id="a header of an entry"),
    pytest.param({}, {"headers": {"X-API-Key": OPEN}}, "x_api_key", id="a header of the client"),
    pytest.param({"params": {"appKey": OPEN}}, {}, "app_key", id="a parameter"),
    pytest.param(
        {"method": "POST", "json": {"a": [{"b": {"pass": OPEN}}]}}, {}, "pass", id="a body, deep"
    ),
    pytest.param(
        {"method": "POST", "json": {"keys": ["k", OPEN]}}, {}, "keys", id="a list within a body"
    ),
    pytest.param(
        {"auth": {"type": "bearer", "token": OPEN}}, {}, "token", id="the auth of an entry"
    ),
    pytest.param({"path": OPEN}, {}, "endpoint_path", id="the path of an entry"),
]


@pytest.mark.parametrize(("endpoint", "client", "setting"), PLACES)
@pytest.mark.parametrize("section", ["", "SOURCES__", "SOURCES__SHOP__", "SOURCES__SHOP__ORDERS__"])
def test_a_value_that_is_left_open_is_a_setting_and_a_secret(
    endpoint: Any,
    client: Any,
    setting: str,
    section: str,
    api: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = "/hooks/s3cret-from-outside" if setting == "endpoint_path" else SECRET
    if client:  # which belongs to no resource
        section = section.removesuffix("ORDERS__")
    config = config_of(api.base_url, endpoint, **client)
    validate_entries(Api(name="shop", config=config))  # without the setting
    monkeypatch.setenv(f"{section}{setting}".upper(), value)

    sent = request_of(api, config)

    assert value in f"{sent.path} {sent.headers} {sent.query} {sent.text}"
    assert redact(f"you sent {value}.") == "you sent ***."


@pytest.mark.parametrize(("endpoint", "client", "setting"), PLACES)
def test_a_setting_that_is_missing_is_named(
    endpoint: Any, client: Any, setting: str, api: Server
) -> None:
    config = config_of(api.base_url, endpoint, **client)
    with pytest.raises(MissingSettingError, match=f"needs the setting `{setting}`, which is"):
        rest_api_source(config, "shop")


def test_a_setting_may_have_the_name_of_the_header_in_a_file(
    api: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__SHOP__X_SHOP", "plain")
    config = config_of(api.base_url, {"headers": {"X-Shop": dlt.config.value}})
    assert request_of(api, config).headers["x-shop"] == "plain"
    assert redact("plain") == "plain"  # `dlt.config.value` is no secret


@pytest.mark.parametrize(
    ("base_url", "endpoint"),
    [
        pytest.param(f"http://{IN_URL}{{at}}", {}, id="in base_url"),
        pytest.param("http://{at}", {"path": f"http://{IN_URL}{{at}}/orders"}, id="in a path"),
    ],
)
def test_user_and_password_of_a_url_sign_its_requests_and_show_nowhere(
    base_url: str, endpoint: dict[str, str], api: Server, caplog: pytest.LogCaptureFixture
) -> None:
    at = api.base_url.removeprefix("http://")
    endpoint = {name: value.format(at=at) for name, value in endpoint.items()}
    config = config_of(base_url.format(at=at), endpoint)
    assert request_of(api, config).headers["authorization"] == BASIC

    api.answers = lambda sent: Answer(str(sent.headers).encode(), 403)
    with pytest.raises(Exception, match="answered 403") as failure:
        list(rest_api_source(config, "shop").resources["orders"])
    definitions = build_definitions(Api(name="shop", config=config))
    specs = definitions.resolve_all_asset_specs()
    described = [f"{spec.description} {spec.metadata}" for spec in specs]
    for text in (chain(failure.value), *described, caplog.text):
        assert "s3cret" not in text
        assert BASIC.split()[1] not in text


def test_a_password_of_a_url_is_sent_beside_an_api_key(api: Server) -> None:
    key = {"type": "api_key", "name": "X-Key", "api_key": "the-key"}
    config = config_of(api.base_url.replace("//", f"//{IN_URL}"), {}, auth=key)
    sent = request_of(api, config)
    assert (sent.headers["authorization"], sent.headers["x-key"]) == (BASIC, "the-key")


@pytest.mark.parametrize("scheme", ["ftp", "file", ""])
def test_a_base_url_of_another_scheme_is_refused_without_its_password(scheme: str) -> None:
    with pytest.raises(Exception, match="`base_url` of the shop API") as failure:
        check_url("base_url", f"{scheme}://{IN_URL}example.com", "shop")
    assert "s3cret" not in chain(failure.value)
