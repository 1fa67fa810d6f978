"""One token for all processes, which are auth objects with a store connection of their own each."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
import requests
from cryptography.fernet import Fernet

from analytics_assets.extract.http.errors import TokenError
from analytics_assets.extract.http.oauth2 import shared_refresh_token
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.http.shared_store.process import SharedState
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import settings_for, sign

GRANTED = "granted-once"
Process = Callable[..., OAuth2]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("SHARED_STORE__ENCRYPTION_KEY", key)
    return key


@pytest.fixture
def rotating() -> Iterator[Sandbox]:
    """A token endpoint that takes each refresh token only once."""
    with Sandbox(refresh_token=GRANTED, rotate_refresh_tokens=True) as sandbox:
        yield sandbox


@pytest.fixture
def process(states: Callable[[], SharedState]) -> Process:
    """Start a further process that signs requests to an API."""

    def start(sandbox: Sandbox, **settings: str) -> OAuth2:
        known = settings_for(sandbox, **settings)
        return OAuth2(known, shared=states().tokens(known, 60))

    return start


def stored(url: str) -> str:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tokens::text FROM analytics_assets.tokens")
        return str(cursor.fetchall())


def signed(auth: OAuth2) -> requests.PreparedRequest:
    return auth(requests.Request("GET", "https://api.example.com").prepare())


@pytest.mark.usefixtures("key")
def test_processes_share_one_token(process: Process, sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(8) as threads:
        headers = set(threads.map(sign, [process(sandbox) for _ in range(8)]))

    assert len(headers) == sandbox.tokens.issued == 1


@pytest.mark.usefixtures("key")
def test_a_refused_token_is_renewed_once_for_all(process: Process, sandbox: Sandbox) -> None:
    processes = [process(sandbox) for _ in range(4)]
    refused = [signed(each) for each in processes]
    sandbox.tokens.revoke_all()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda each, request: each.renew(request), processes, refused))

    assert len({sign(each) for each in processes}) == 1
    assert sandbox.tokens.issued == 2


@pytest.mark.usefixtures("key")
def test_a_token_that_expires_soon_is_renewed(process: Process) -> None:
    with Sandbox(lifetime=1) as sandbox:
        first, second = process(sandbox), process(sandbox)
        before = sign(first)
        while sign(second) == before:
            pass

        assert sandbox.tokens.issued == 2


@pytest.mark.usefixtures("key")
def test_other_credentials_have_a_token_of_their_own(process: Process, sandbox: Sandbox) -> None:
    sign(process(sandbox))
    with pytest.raises(TokenError):
        sign(process(sandbox, client_secret="wrong"))
    sign(process(sandbox, scope="other"))

    assert sandbox.tokens.issued == 2


@pytest.mark.usefixtures("key")
def test_no_token_stands_in_the_store_in_plain(
    process: Process, rotating: Sandbox, postgres_url: str
) -> None:
    token = sign(process(rotating, refresh_token=GRANTED)).partition(" ")[2]

    assert token
    for secret in (token, GRANTED, "refresh_token", rotating.client_secret):
        assert secret not in stored(postgres_url)


def test_without_a_key_each_process_has_a_token_of_its_own(
    states: Callable[[], SharedState], sandbox: Sandbox
) -> None:
    assert states().tokens(settings_for(sandbox), 60) is None


@pytest.mark.usefixtures("key")
def test_without_the_store_a_process_has_a_token_of_its_own(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(sandbox)
    state = SharedState("postgresql://user:hidden@127.0.0.1:1/database")
    with caplog.at_level(logging.WARNING):
        sign(OAuth2(settings, shared=state.tokens(settings, 60)))

    assert sandbox.tokens.issued == 1
    assert "one of this process alone, as the shared store cannot be reached" in caplog.text


@pytest.mark.usefixtures("key")
def test_rotated_refresh_tokens_are_used_once_by_processes_at_the_same_time(
    process: Process, rotating: Sandbox
) -> None:
    # another scope each, as they would share the access token otherwise
    processes = [process(rotating, refresh_token=GRANTED, scope=str(each)) for each in range(6)]
    with ThreadPoolExecutor(6) as threads:
        headers = set(threads.map(sign, processes))

    assert len(headers) == rotating.tokens.issued == 6


@pytest.mark.usefixtures("key")
def test_a_machine_without_the_files_uses_the_replacement(
    process: Process, rotating: Sandbox
) -> None:
    for machine in ("first", "second", "third"):
        auth = process(rotating, refresh_token=GRANTED, refresh_token_dir=machine)
        refused = signed(auth)
        auth.renew(refused)

    assert rotating.tokens.issued == 4


@pytest.mark.usefixtures("key")
def test_a_replacement_in_a_file_of_an_earlier_release_is_the_first_in_the_store(
    process: Process, rotating: Sandbox
) -> None:
    sign(OAuth2(settings_for(rotating, refresh_token=GRANTED)))
    sign(process(rotating, refresh_token=GRANTED))
    sign(process(rotating, refresh_token=GRANTED, refresh_token_dir="another", scope="other"))

    assert rotating.tokens.issued == 3


@pytest.mark.usefixtures("key")
def test_a_token_on_its_way_to_the_endpoint_is_used_by_nobody_else(
    process: Process,
    states: Callable[[], SharedState],
    rotating: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_refresh_token, "USE_SECONDS", 1.0)
    settings = settings_for(rotating, refresh_token=GRANTED)
    tokens = states().tokens(settings, 60)
    assert tokens
    killed = shared_refresh_token.SharedRefreshTokenGrant(settings, tokens)
    started = time.monotonic()
    with killed.parameters():
        killed._is_replaced = True  # it ends before it has written anything

    sign(process(rotating, refresh_token=GRANTED))
    assert time.monotonic() - started >= 1.0


def test_keys_are_replaced_by_one_before_the_earlier_one(
    process: Process, rotating: Sandbox, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(process(rotating, refresh_token=GRANTED))
    newer = Fernet.generate_key().decode()
    monkeypatch.setenv("SHARED_STORE__ENCRYPTION_KEY", f"{newer} {key}")
    sign(process(rotating, refresh_token=GRANTED))
    monkeypatch.setenv("SHARED_STORE__ENCRYPTION_KEY", newer)
    refused = signed(process(rotating, refresh_token=GRANTED))
    process(rotating, refresh_token=GRANTED).renew(refused)

    monkeypatch.setenv("SHARED_STORE__ENCRYPTION_KEY", Fernet.generate_key().decode())
    with pytest.raises(TokenError, match=r"decrypted.*`shared_store\.encryption_key`"):
        sign(process(rotating, refresh_token=GRANTED))
