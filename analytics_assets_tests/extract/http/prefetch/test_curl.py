"""Pages by libcurl: complete and with status 200, or none at all."""

import gzip
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
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.limits.settings import LimitSettings
from analytics_assets.extract.http.prefetch.curl import CurlPrefetcher
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.traffic import Traffic

Send = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(send: Send, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server whose responses the test writes itself."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            send(self)

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


def answer(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def taken(url: str, headers: dict[str, str] | None = None, **extra: Any) -> Any:
    settings = RequestSettings()
    settings.request_timeout = extra.pop("timeout", 60)
    settings.request_deadline = extra.pop("deadline", 60)
    traffic = Traffic()
    prefetcher = CurlPrefetcher(RateLimit(LimitSettings(), 60), traffic, settings, None, **extra)
    request = requests.Request("GET", url, headers=headers).prepare()
    try:
        prefetcher.request(request, url)
        body = prefetcher.next_page()
    finally:
        prefetcher.close()
    assert traffic.requests == 1
    return body


def test_a_page_has_its_status_and_its_headers_by_any_case() -> None:
    with answering(lambda request: answer(request, b"[1]", X_Total="7")) as url:
        body = taken(url)

    assert (body.content, body.status_code, body.headers["x-total"]) == (b"[1]", 200, "7")


def test_headers_of_a_request_are_sent_as_they_are_and_no_others() -> None:
    seen: list[dict[str, str]] = []

    def send(request: BaseHTTPRequestHandler) -> None:
        seen.append(dict(request.headers.items()))
        answer(request, b"[]")

    mine = {"Authorization": "Bearer x", "User-Agent": "me", "Accept": "*/*", "X-Empty": ""}
    with answering(send) as url:
        taken(url, mine)

    assert {name: seen[0][name] for name in mine} == mine
    assert seen[0].keys() - mine.keys() == {"Host"}


def test_a_packed_body_is_decoded() -> None:
    packed = gzip.compress(b"[1, 2]")
    with answering(lambda request: answer(request, packed, Content_Encoding="gzip")) as url:
        assert taken(url, {"Accept-Encoding": "gzip, deflate"}).content == b"[1, 2]"


@pytest.mark.parametrize("status", [204, 302, 401, 404, 429, 500, 503])
def test_any_other_status_than_200_is_no_page(status: int) -> None:
    with answering(lambda request: answer(request, b"", status, Location="/other")) as url:
        assert taken(url) is None


def test_a_body_that_is_cut_short_is_no_page() -> None:
    def send(request: BaseHTTPRequestHandler) -> None:
        answer(request, b"[1", Content_Length="10")
        request.close_connection = True

    with answering(send) as url:
        assert taken(url) is None


# libcurl measures the speed by the second, and so the timeout
@pytest.mark.parametrize("limit", [{"timeout": 1}, {"deadline": 0.2}])
def test_a_body_that_stalls_is_no_page(limit: dict[str, Any]) -> None:
    over = threading.Event()

    def send(request: BaseHTTPRequestHandler) -> None:
        answer(request, b"[1", Content_Length="10")
        request.wfile.flush()
        over.wait(60)

    with answering(send) as url:
        try:
            assert taken(url, **limit) is None
        finally:
            over.set()


def test_a_refused_connection_is_no_page() -> None:
    with answering(lambda request: answer(request, b"[]")) as url:
        pass
    assert taken(url) is None


def test_pages_are_returned_in_the_order_of_their_requests() -> None:
    slow = threading.Event()

    def send(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/first":
            slow.wait(60)
        answer(request, request.path.encode())
        slow.set()

    prefetcher = CurlPrefetcher(RateLimit(LimitSettings(), 60), Traffic(), RequestSettings(), None)
    with answering(send) as url:
        request = requests.Request("GET", url).prepare()
        for path in ("/first", "/second", "/third"):
            prefetcher.request(request, url + path)
        came = [prefetcher.next_page() for _ in range(3)]
        prefetcher.close()

    assert [body and body.content for body in came] == [b"/first", b"/second", b"/third"]


def test_a_discarded_request_gives_its_slot_back() -> None:
    over = threading.Event()
    rate_limit = RateLimit(LimitSettings(max_in_flight=1), 60)
    prefetcher = CurlPrefetcher(rate_limit, Traffic(), RequestSettings(), None)

    def send(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/never":
            over.wait(60)
        answer(request, b"[]")

    with answering(send) as url:
        request = requests.Request("GET", url).prepare()
        try:
            prefetcher.request(request, f"{url}/never")
            prefetcher._start_queued()
            assert rate_limit.try_acquire() > 0
            prefetcher.discard()
            prefetcher.request(request, f"{url}/now")
            assert prefetcher.next_page()
        finally:
            over.set()
            prefetcher.close()


def test_a_signer_that_fails_gives_its_slot_back() -> None:
    class Failing:
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            raise ValueError("no token")

        def signed(self, request: requests.PreparedRequest) -> bool:
            return False

        def renew(self, request: requests.PreparedRequest) -> None:
            pass

    rate_limit = RateLimit(LimitSettings(max_in_flight=1), 60)
    prefetcher = CurlPrefetcher(rate_limit, Traffic(), RequestSettings(), Failing())
    prefetcher.request(requests.Request("GET", "http://127.0.0.1").prepare(), "http://127.0.0.1")

    with pytest.raises(ValueError, match="no token"):
        prefetcher.next_page()
    assert rate_limit.try_acquire() == 0
    prefetcher.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
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


@pytest.mark.parametrize(("verify", "comes"), [(True, False), ("own", True), (False, True)])
def test_certificates_are_verified_as_for_any_other_request(
    certificate: Path, verify: bool | str, comes: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with answering(lambda request: answer(request, b"[]"), context) as url:
        body = taken(url, verify=str(certificate) if verify == "own" else verify)

    assert (body is not None) is comes
