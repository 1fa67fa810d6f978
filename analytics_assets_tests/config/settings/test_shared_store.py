import pytest
from cryptography.fernet import Fernet

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.shared_store import resolve_shared_store
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.limits.host import HostLimits
from analytics_assets.extract.http.shared_store.process import close_all, shared_store
from analytics_assets.redaction.redactor import redact
from analytics_assets_tests.support.postgres import postgres_settings

URL = "postgresql://loader:the-password@db.example.com:5432/history"


def test_without_a_setting_there_is_none_beside_duckdb() -> None:
    assert resolve_shared_store().url is None
    assert shared_store() is None


def test_it_is_the_warehouse_if_that_is_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in postgres_settings(URL).items():
        monkeypatch.setenv(name, value)

    assert str(resolve_shared_store().url).partition("?")[0] == URL


def test_a_url_goes_before_the_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in postgres_settings("postgresql://u:p@other/db").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SHARED_STORE__URL", URL)

    assert resolve_shared_store().url == URL
    assert "the-password" not in redact(URL)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_a_url_is_read_as_that_of_the_warehouse(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    url = URL.replace("postgresql", scheme)
    monkeypatch.setenv("SHARED_STORE__URL", url)
    assert resolve_shared_store().url == URL
    monkeypatch.setenv("SHARED_STORE__URL", "")
    for name, value in postgres_settings(url).items():
        monkeypatch.setenv(name, value)
    assert str(resolve_shared_store().url).partition("?")[0] == URL


@pytest.mark.parametrize("credentials", ["", "mysql://loader@db.test/warehouse"])
def test_a_warehouse_without_credentials_is_named_by_the_load(
    monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    for name, value in postgres_settings(credentials).items():
        monkeypatch.setenv(name, value)

    assert resolve_shared_store().url is None


@pytest.mark.parametrize("url", ["redis://host/0", "history", "mysql://user:the-password@h/db"])
def test_another_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SHARED_STORE__URL", url)

    with pytest.raises(SettingsError, match=r"`shared_store\.url` is no URL") as failure:
        resolve_shared_store()
    assert url not in str(failure.value)


@pytest.mark.parametrize("malformed", ["short", "é" * 44, "a" * 44])
def test_a_malformed_key_is_refused_with_the_way_to_make_one(
    monkeypatch: pytest.MonkeyPatch, malformed: str
) -> None:
    monkeypatch.setenv("SHARED_STORE__ENCRYPTION_KEY", malformed)
    with pytest.raises(SettingsError, match=r"Fernet\.generate_key") as failure:
        resolve_shared_store()
    assert malformed not in str(failure.value)


def test_keys_are_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    monkeypatch.setenv("SHARED_STORE__ENCRYPTION_KEY", " ".join(keys))

    assert resolve_shared_store().fernet_keys == keys
    assert redact(f"keys {keys[0]} and {keys[1]}") == "keys *** and ***"


def test_limits_of_the_embedded_api_are_those_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHARED_STORE__URL", URL)
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")

    assert type(connect({}, "analytics").rate_limit._host) is HostLimits
    assert (
        type(connect({"base_url": "http://127.0.0.1"}, "shop").rate_limit._host) is not HostLimits
    )
    close_all()
