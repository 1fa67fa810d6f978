"""Requests over libcurl, as they are sent."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth

from analytics_assets.extract.http.errors import ApiError, NoAnswerError
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fetching import connected, page_of, prepared
from analytics_assets_tests.support.http.server import Server

BODY = b"[]"


def answering() -> Server:
    return Server(lambda _request: Answer(BODY))


def test_headers_of_a_request_are_sent_as_they_are_and_no_others() -> None:
    mine = {
        "Authorization": "Bearer x",
        "User-Agent": "me",
        "Accept": "*/*",
        "X-Empty": "",
        "X-Latin": "café",
        "Cookie": "name=café",
        "Accept-Encoding": "gzip",
        "Connection": "keep-alive",
    }
    with answering() as server:
        page_of(connected(server.base_url), headers=mine)

    [request] = server.requests
    sent = {name.lower(): value for name, value in mine.items()}
    assert request.headers == {**sent, "host": server.base_url.removeprefix("http://")}


@pytest.mark.parametrize("name", ["accept", "user-agent", "content-type", "expect"])
def test_libcurl_adds_no_header_that_the_request_does_not_have(name: str) -> None:
    with answering() as server:
        connection = connected(server.base_url)
        request = prepared(connection, "/orders", "POST", data=b"x" * 2_000_000)
        request.headers.pop(name, None)
        fetcher = connection.fetcher()
        fetcher.fetch(request, bool)
        fetcher.close()

    assert name not in server.requests[0].headers


@pytest.mark.parametrize("name", ["X-Token", "Cookie"])
@pytest.mark.parametrize("value", ["a\r\nX-More: b", "a\nb", "5 €"])
def test_a_header_that_cannot_be_sent_is_an_error_without_its_value(name: str, value: str) -> None:
    with answering() as server:
        connection = connected(server.base_url)
        request = prepared(connection)
        request.headers[name] = value
        fetcher = connection.fetcher()
        with pytest.raises(ApiError, match=f"The header `{name}` of a request has") as failure:
            fetcher.fetch(request, bool)
        fetcher.close()

    assert server.requests == []
    assert value not in str(failure.value)
    assert connection.rate_limit.try_acquire() == 0


@pytest.mark.parametrize("auth", [None, BearerTokenAuth("a-token")])
def test_credentials_of_a_url_are_sent_unless_there_is_an_auth(auth: Any) -> None:
    sent: list[list[str] | None] = []
    with listening(lambda request: sent.append(request.headers.get_all("Authorization"))) as url:
        page_of(connected(url), url.replace("//", "//me:secret@") + "/orders", auth=auth)

    assert sent == [["Bearer a-token"] if auth else ["Basic bWU6c2VjcmV0"]]


@pytest.mark.parametrize("path", ["/a%2F%2E%2E/b", "/a/%2E%2E/b", "/a//b", "/a%20b", "/ä?q=ü"])
def test_a_path_is_sent_as_requests_prepares_it(path: str) -> None:
    seen: list[str] = []
    with listening(lambda request: seen.append(request.path)) as url:
        page = page_of(connected(url), path)

    assert seen == [page.url.removeprefix(url)]
    assert "/../" not in seen[0]


@contextmanager
def listening(
    see: Callable[[BaseHTTPRequestHandler], Any], context: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A server that answers all requests alike, with TLS if there is a context for it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            see(self)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    own_address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(own_address, False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    plain = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(made.public_bytes(plain[0]) + key.private_bytes(*plain))
    return file


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_verified_by_the_file_that_the_environment_names(
    certificate: Path, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with listening(bool, context) as url:
        connection = connected(url, max_attempts=1)
        if trusted:
            assert page_of(connection).content == b"[]"
        else:
            with pytest.raises(NoAnswerError, match="self-signed certificate"):
                page_of(connection)
