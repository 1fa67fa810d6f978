"""APIs with a marked secret in every place where one can stand, and a server that repeats all."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import dlt
import pytest
import requests
from dlt.sources.helpers.rest_client.auth import HttpBasicAuth, OAuth2ClientCredentials

from analytics_assets.config.api import Api
from analytics_assets_tests.support.http.exchange import Answer, Request

PLACES = (
    "password of base_url",
    "user of base_url",
    "header of client by setting",
    "header of client as written",
    "cookie of client",
    "api_key in the query",
    "api_key in a header",
    "header of resource_defaults",
    "header of an entry by setting",
    "parameter of an entry by setting",
    "key within a body",
    "password of a path",
    "key in the query of a path",
    "token of auth by name",
    "token of an entry's auth",
    "password of an auth object",
    "password of auth by setting",
    "header of a session",
    "password of a session",
    "cookie of a session",
    "client_secret",
    "token_params",
    "password of token_url",
    "issued token",
    "refresh_token",
    "rotated refresh token",
    "private_key_passphrase",
    "client_secret of dlt",
    "password of the warehouse",
)
MARKED = {place: f"Mk{number:02}/s3cret+{number:02}kM" for number, place in enumerate(PLACES)}


def spellings(secret: str) -> Iterator[str]:
    """The spellings of a secret, and of its parts where it is cut."""
    for part in (secret, secret[:9], secret[-9:]):
        yield from (part, quote(part, safe=""), quote_plus(part), json.dumps(part)[1:-1])
    for before in range(3):
        encoded = b64encode(b"x" * before + secret.encode()).decode()
        yield encoded[4:20]


def repeat_all(sent: Request) -> str:
    """All that a request has, as it is and in Base64."""
    parts = [sent.path, *sent.query.values(), *sent.headers.values(), sent.content.decode()]
    credentials = [value.rpartition(" ")[2] for value in sent.headers.values()]
    encoded = [b64encode(part.encode()).decode() for part in parts]
    cut = [part[:12] for part in credentials]
    return "\n".join([*cut, *credentials, *parts, *encoded, *map(quote_plus, parts)])


def answer(sent: Request) -> Answer:
    """Answer by the last part of the path: with rows, with a token, or with all that was sent."""
    kind, echo = sent.path.rpartition("/")[2], repeat_all(sent)
    if kind == "token":
        token = {"access_token": MARKED["issued token"], "expires_in": 60}
        if sent.form.get("grant_type") == "refresh_token":
            token["refresh_token"] = MARKED["rotated refresh token"]
        return Answer(token)
    if kind == "refused":
        return Answer(echo.encode(), 403, {"Content-Type": "text/plain"})
    if kind == "page":
        return Answer(f"<html>{echo}</html>".encode(), 200, {"Content-Type": "text/html"})
    if kind == "failure":
        return Answer({"error": echo.splitlines()}, 401)
    if kind == "described":
        return Answer({"error": "invalid_client", "error_description": echo}, 400)
    if kind == "away":
        return Answer(b"", 302, {"Location": f"http://[{quote(echo)}"})
    return Answer({"data": [{"id": 1}], "total": 1})


def entry(name: str, path: str = "", **endpoint: Any) -> dict[str, Any]:
    return {
        "name": name,
        "endpoint": {
            "path": path or name,
            "data_selector": "data",
            "paginator": "single_page",
            **endpoint,
        },
    }


def fail(row: Any) -> Any:
    raise ValueError(f"{MARKED['header of client as written']} is wrong in {row}")


def apis(port: int, private_key: str, monkeypatch: pytest.MonkeyPatch) -> list[Api]:
    """The APIs, each with a resource that is loaded and some that fail."""
    at, marked = f"127.0.0.1:{port}", {place: quote(MARKED[place], safe="") for place in PLACES}
    for name, place in {
        "SOURCES__SHOP__X_API_KEY": "header of client by setting",
        "SOURCES__SHOP__ROWS__X_OWN": "header of an entry by setting",
        "SOURCES__SHOP__X_OWN": "header of an entry by setting",
        "SOURCES__SHOP__SIG": "parameter of an entry by setting",
        "SOURCES__SHOP__INNER": "key within a body",
        "SOURCES__NAMED__CREDENTIALS__TOKEN": "token of auth by name",
        "SOURCES__BASIC__PASSWORD": "password of auth by setting",
        "SOURCES__SERVICE__PRIVATE_KEY_PASSPHRASE": "private_key_passphrase",
        "SOURCES__GRANTED__REFRESH_TOKEN": "refresh_token",
    }.items():
        monkeypatch.setenv(name, MARKED[place])
    monkeypatch.setenv("SOURCES__SERVICE__PRIVATE_KEY", private_key)
    own: dict[str, Any] = {
        "headers": {"X-Own": dlt.secrets.value},
        "params": {"sig": dlt.secrets.value, "plain": "1"},
    }
    shop = {
        "client": {
            "base_url": f"http://me:{marked['password of base_url']}@{at}",
            "headers": {
                "X-API-Key": dlt.secrets.value,
                "X-Shop": MARKED["header of client as written"],
                "Cookie": f"session={MARKED['cookie of client']}",
            },
            "auth": {
                "type": "api_key",
                "name": "k",
                "api_key": MARKED["api_key in the query"],
                "location": "query",
            },
        },
        "resource_defaults": {
            "endpoint": {"headers": {"X-Default": MARKED["header of resource_defaults"]}}
        },
        "resources": [
            entry("rows", **own),
            entry("refused", **own),
            entry("page", **own),
            entry("failure", **own),
            entry("away", **own),
            entry("body", "refused", method="POST", json={"a": [{"inner": dlt.secrets.value}]}),
            entry("whole", f"http://me:{marked['password of a path']}@{at}/refused"),
            entry("query", f"refused?key={marked['key in the query of a path']}"),
            {**entry("broken", "rows"), "processing_steps": [{"map": fail}]},
        ],
    }
    session = requests.Session()
    session.headers["X-Session"] = MARKED["header of a session"]
    session.cookies.set("sid", MARKED["cookie of a session"])
    session.auth = ("me", MARKED["password of a session"])
    object_of_dlt = OAuth2ClientCredentials(
        access_token_url=f"http://{at}/token",
        client_id="me",
        client_secret=MARKED["client_secret of dlt"],
    )
    entry_auth = {"type": "bearer", "token": MARKED["token of an entry's auth"]}
    basic = HttpBasicAuth("me", MARKED["password of an auth object"])
    key_in_header = {
        "type": "api_key",
        "name": "X-Key",
        "api_key": MARKED["api_key in a header"],
    }
    user = f"http://{marked['user of base_url']}@{at}"
    oauth2 = {"type": "oauth2", "client_id": "me", "token_url": f"http://{at}/token"}
    extra = {"extra": MARKED["token_params"]}
    secret = {"client_secret": MARKED["client_secret"], "token_params": extra}
    token_url = f"http://me:{marked['password of token_url']}@{at}/"
    both, refused = [entry("rows"), entry("refused")], [entry("refused")]
    one = [entry("rows")]
    return [
        Api(name="shop", config=shop),
        _api("named", f"http://{at}", [*refused, entry("own", "refused", auth=entry_auth),
                                       entry("object", "refused", auth=basic)], auth="bearer"),
        _api("basic", f"http://{at}", refused,
             auth={"type": "http_basic", "username": "me", "password": dlt.secrets.value}),
        _api("keyed", user, refused, auth=key_in_header),
        _api("session", f"http://{at}", refused, session=session),
        _api("client", f"http://{at}", refused,
             auth={**oauth2, **secret, "token_url": f"{token_url}token"}),
        _api("described", f"http://{at}", one,
             auth={**oauth2, **secret, "token_url": f"{token_url}described"}),
        _api("basically", f"http://{at}", one,
             auth={**oauth2, **secret, "token_url": f"{token_url}refused",
                   "client_authentication": "basic"}),
        _api("granted", f"http://{at}", both, auth={**oauth2}),
        _api("service", f"http://{at}", one, auth={**oauth2, "token_url": f"{token_url}refused"}),
        _api("stock", f"http://{at}", refused, auth=object_of_dlt),
    ]  # fmt: skip


def _api(name: str, base_url: str, resources: list[Any], **client: Any) -> Api:
    config = {"client": {"base_url": base_url, **client}, "resources": resources}
    return Api(name=name, config=config)
