"""A server that records requests, and OAuth2 with it and with the embedded API."""

from collections.abc import Callable
from typing import Any

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.rows.answer import AnswerDecoder
from analytics_assets.extract.rows.row_place import RowPlace
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.exchange import Request as Request
from analytics_assets_tests.support.http.fetching import signed_page
from analytics_assets_tests.support.http.server import Server as Server
from analytics_assets_tests.support.sandbox import Sandbox

TOKEN = "/oauth/token"
PAGE_VIEWS = "/v1/page_views"
RESERVED = "a:b%41/c d+é&=?\\"


Reply = tuple[int, dict[str, str], str]  # status, headers and body


def nothing(_sent: Request) -> Reply:
    return 200, {}, '{"data": []}'


def token(_sent: Request) -> Reply:
    return 200, {}, '{"access_token": "granted-token", "expires_in": 3600}'


def recording(reply: Callable[[Request], Reply] = nothing) -> Server:
    """A server that answers with what a function returns; for a `with` block."""

    def answer(sent: Request) -> Answer:
        status, headers, text = reply(sent)
        return Answer(text.encode(), status, headers)

    return Server(answer)


def settings_for(peer: Sandbox | Server, **changes: Any) -> OAuth2Settings:
    settings = OAuth2Settings()
    settings.token_url = peer.token_url if isinstance(peer, Sandbox) else peer.url("/token")
    settings.client_id = peer.client_id if isinstance(peer, Sandbox) else "the-client"
    settings.client_secret = peer.client_secret if isinstance(peer, Sandbox) else "the-secret"
    for name, value in changes.items():
        setattr(settings, name, value)
    return settings


def get(auth: OAuth2, url: str) -> requests.Response:
    decode = AnswerDecoder("page_views", RowPlace(None, True), exact=False)
    page = signed_page(auth, url)
    answer = decode(page)
    if answer.refusal:
        raise answer.refusal
    return page.as_response()


def sign(auth: OAuth2) -> str:
    request = requests.Request("GET", "http://127.0.0.1/", auth=auth).prepare()
    return str(request.headers["Authorization"])


def statuses(sandbox: Sandbox, path: str = PAGE_VIEWS) -> list[int | None]:
    return [record.status for record in sandbox.requests if record.path == path]


def chain(error: BaseException) -> str:
    """The texts of an error and of its causes."""
    seen: dict[int, BaseException] = {}
    to_visit: list[BaseException | None] = [error]
    while to_visit:
        current = to_visit.pop()
        if current is not None and id(current) not in seen:
            seen[id(current)] = current
            to_visit += [current.__cause__, current.__context__]
    return "\n".join(f"{each!s}\n{each!r}" for each in seen.values())


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: str = "") -> str:
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, encryption).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form).decode()
