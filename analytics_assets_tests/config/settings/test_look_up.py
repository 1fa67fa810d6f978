"""Look-up of settings: dlt's providers in their order, and errors that show no secret."""

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import ConfigTomlProvider, SecretsTomlProvider
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.client import resolve_client
from analytics_assets.config.settings.look_up import look_up
from analytics_assets.config.settings.oauth2 import resolve_oauth2
from analytics_assets.config.settings.providers.run_context import Environment
from analytics_assets.config.settings.providers.secret_files import SecretFiles, secrets_folder
from analytics_assets.config.settings.providers.toml_errors import unreadable_settings
from analytics_assets_tests.config.given import BASE_URL, COMPLETE, OPEN, set_all


def test_a_setting_of_the_api_wins_over_one_of_all_sources_and_that_over_a_bare_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(
        monkeypatch,
        TOKEN_URL="https://bare.example.com",
        CLIENT_ID="bare-client",
        CLIENT_SECRET="bare-secret",
        SOURCES__CLIENT_ID="client-of-all",
        SOURCES__CLIENT_SECRET="secret-of-all",
        SOURCES__SHOP__CLIENT_SECRET="secret-of-shop",
        SOURCES__OTHER__CLIENT_ID="client-of-another",
    )

    settings = resolve_oauth2(OPEN, "shop")

    assert settings.token_url == "https://bare.example.com"
    assert settings.client_id == "client-of-all"
    assert settings.client_secret == "secret-of-shop"


def test_variables_of_each_machine_are_no_settings(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, USER="root", LANG="C.UTF-8", TENANT="bare", SOURCES__SHOP__LANG="de")
    (clean_place / ".dlt").mkdir()
    file = clean_place / ".dlt" / "config.toml"
    file.write_text('[sources.shop]\nuser = "of the shop"\ntenant = "of the shop"\n')
    providers = ConfigProvidersContainer([Environment(), ConfigTomlProvider(str(file.parent))])
    monkeypatch.setattr(Container()[PluggableRunContext], "providers", providers)

    found = [look_up(name, "sources", "shop") for name in ("user", "lang", "tenant")]

    assert found == ["of the shop", "de", "bare"]


IN_ANOTHER_PROCESS = """
import json, sys
from analytics_assets.config.settings.client import resolve_client
client = json.loads(sys.argv[1])
settings = resolve_client(client, "shop")
found = {"base_url": settings.base_url, "scope": settings.oauth2.scope}
found |= {name: getattr(settings.oauth2, name) for name in ("token_url", "client_id")}
print(json.dumps(found | {"client_secret": settings.oauth2.client_secret}))
"""


def test_settings_are_read_from_dlts_files_and_the_environment_wins(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clean_place / ".dlt"
    folder.mkdir()
    (folder / "config.toml").write_text(
        'base_url = "https://bare.example.com"\n'
        'scope = "reports"\n'
        "[sources.shop]\n"
        'base_url = "https://shop.example.com"\n'
        'token_url = "https://shop.example.com/token"\n'
    )
    (folder / "secrets.toml").write_text(
        'client_id = "bare-client"\n[sources.shop]\nclient_secret = "secret-of-shop"\n'
    )
    set_all(monkeypatch, CLIENT_ID="environment-client")

    ran = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, json.dumps({"auth": {"type": "oauth2"}})],
        cwd=clean_place,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )

    assert json.loads(ran.stdout) == {
        "base_url": "https://shop.example.com",
        "token_url": "https://shop.example.com/token",
        "client_id": "environment-client",
        "client_secret": "secret-of-shop",
        "scope": "reports",
    }


def test_the_environment_wins_over_a_longer_name_in_a_file(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_place / "secrets").mkdir()
    (clean_place / "secrets" / "sources.shop.token").write_text("of the file")
    providers = [Environment(), SecretFiles(clean_place / "secrets")]
    monkeypatch.setattr(
        Container()[PluggableRunContext], "providers", ConfigProvidersContainer(providers)
    )
    assert look_up("token", "sources", "shop") == "of the file"
    set_all(monkeypatch, TOKEN="of the environment")
    assert look_up("token", "sources", "shop") == "of the environment"


@pytest.mark.parametrize("how", ["not there", "empty in the dictionary", "empty outside"])
@pytest.mark.parametrize(
    ("setting", "file"),
    [
        ("token_url", ".dlt/config.toml"),
        ("client_id", ".dlt/secrets.toml"),
        ("client_secret", ".dlt/secrets.toml"),
    ],
)
def test_a_missing_setting_is_named_with_the_places_where_it_can_be_set(
    setting: str, file: str, how: str, monkeypatch: pytest.MonkeyPatch, clean_place: Path
) -> None:
    auth: dict[str, Any] = {key: value for key, value in COMPLETE.items() if key != setting}
    if how == "empty in the dictionary":
        auth[setting] = ""
    if how == "empty outside":
        monkeypatch.setenv(setting.upper(), "")

    with pytest.raises(SettingsError) as failure:
        resolve_client({"base_url": BASE_URL, "auth": auth}, "shop")

    message = str(failure.value)
    assert message.startswith(f"The shop API needs the setting `{setting}`, which is missing")
    assert f"environment variable SOURCES__SHOP__{setting.upper()}, or write" in message
    assert (
        f'{setting} = "..." into the section [sources.shop] of {clean_place / file}, or' in message
    )
    secret = secrets_folder() / f"SOURCES__SHOP__{setting.upper()}"
    assert f"its value into the file {secret}. Searched were the environment, these" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("default_lifetime", "hunter2"),
        ("client_authentication", "hunter2"),
        ("token_params", "hunter2"),
    ],
)
@pytest.mark.parametrize("where", ["dictionary", "environment"])
def test_a_setting_of_the_wrong_type_is_named_but_its_value_is_not_shown(
    setting: str, value: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = {**COMPLETE, setting: value} if where == "dictionary" else COMPLETE
    if where == "environment":
        monkeypatch.setenv(setting.upper(), value)

    with pytest.raises(SettingsError, match=f"The setting `{setting}` of the shop API") as failure:
        resolve_oauth2(auth, "shop")

    assert value not in "".join(traceback.format_exception(failure.value))


@pytest.mark.parametrize(
    ("provider", "content", "place"),
    [
        (
            SecretsTomlProvider,
            b'client_id = "me"\nclient_secret = "my-secret\n',
            "at line 2, column",
        ),
        (SecretsTomlProvider, b"client_secret = my-secret\n", "at line 1, column"),
        (ConfigTomlProvider, b"[reading\npasses = 3\n", "at line 1, column"),
        (ConfigTomlProvider, b'scope = "my-secret"\nscope = "b"\n', "at line 2, column"),
        (SecretsTomlProvider, b'client_secret = "my-secret\xff"', "which is not in UTF-8"),
    ],
)
def test_a_settings_file_that_is_no_toml_is_named_with_its_line_and_without_a_value(
    provider: Any, content: bytes, place: str, tmp_path: Path
) -> None:
    file = tmp_path / ("secrets.toml" if provider is SecretsTomlProvider else "config.toml")
    file.write_bytes(content)
    with pytest.raises(TomlProviderReadException) as raw:
        provider(settings_dir=str(tmp_path))

    text = str(unreadable_settings(raw.value))
    assert text.startswith(f"The settings file {file} ({place}")
    assert "my-secret" not in text


def test_another_error_is_none_of_a_settings_file() -> None:
    assert unreadable_settings(ValueError("else")) is None
