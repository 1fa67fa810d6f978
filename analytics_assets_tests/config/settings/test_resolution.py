"""Settings of a wrong type, in a wrong file or section, or with a wrong name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.client import SandboxSettings
from analytics_assets.config.settings.look_up import missing_setting
from analytics_assets.config.settings.oauth2 import resolve_oauth2
from analytics_assets.config.settings.request import RequestSettings, resolve_limits
from analytics_assets.config.settings.resolution import resolved
from analytics_assets_tests.config.given import OPEN


@pytest.fixture
def settings_files(clean_place: Path) -> Iterator[Path]:
    """The folder of the settings files, which is empty."""
    folder = clean_place / ".dlt"
    folder.mkdir()
    yield folder
    for file in folder.iterdir():
        file.unlink()
    Container()[PluggableRunContext].reload_providers()


SECRET = "a-secret-of-the-file"


def test_a_value_of_a_wrong_type_is_named_with_section_and_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_DEADLINE", "ten")
    with pytest.raises(SettingsError) as refused:
        resolved(RequestSettings())
    assert str(refused.value) == (
        "The setting `runtime.request_deadline` cannot be 'ten': give a number."
    )
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "4.5")
    with pytest.raises(SettingsError, match=r"`reading.max_in_flight` of the shop API .* a whole"):
        resolve_limits("shop")
    monkeypatch.setenv("SANDBOX__ENABLED", "perhaps")
    with pytest.raises(SettingsError, match=r"`sandbox.enabled` cannot be 'perhaps': give true"):
        resolved(SandboxSettings(), ("sandbox",))


def test_a_secret_in_the_file_of_other_settings_is_named_with_the_right_file(
    settings_files: Path,
) -> None:
    (settings_files / "config.toml").write_text(f'client_secret = "{SECRET}"\n')
    Container()[PluggableRunContext].reload_providers()
    with pytest.raises(SettingsError) as refused:
        resolve_oauth2(OPEN, "shop")
    assert str(refused.value) == (
        "The setting `client_secret` is a secret, and stands in .dlt/config.toml, which is under "
        "version control: move it to .dlt/secrets.toml, or into the environment."
    )


@pytest.mark.parametrize(
    ("file", "text", "described"),
    [
        (".dlt/secrets.toml", "client_secrt", "`client_secrt` in .dlt/secrets.toml: write `client"),
        (
            ".dlt/secrets.toml",
            "[auth]\nclient_secret",
            "`client_secret` in the section [auth] of .dlt/secrets.toml, where it is not looked up"
            ": write it into the section [sources.shop]",
        ),
        (
            "secrets.toml",
            "client_secret",
            "`client_secret` in the file secrets.toml, which b",
        ),
    ],
)
def test_a_missing_setting_names_the_one_that_was_meant(
    settings_files: Path, file: str, text: str, described: str
) -> None:
    Path(file).write_text(f'{text} = "{SECRET}"\nclient_id = "me"\nprivate_key = "x"\n')

    message = str(missing_setting("client_secret", "shop"))

    assert f"But there is {described}" in message
    assert SECRET not in message
    assert "`client_id`" not in message
    assert "`private_key`" not in message


@pytest.mark.parametrize(
    ("variable", "described"),
    [
        ("SOURCES_SHOP_TOKEN_URL", "where two underscores stand for each dot."),
        ("token_url", "which must be in upper case."),
        ("TOKEN_URI", "`TOKEN_URI`: write `TOKEN_URL`."),
    ],
)
@pytest.mark.usefixtures("settings_files")
def test_a_missing_setting_names_the_variable_that_was_meant(
    variable: str, described: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, SECRET)

    message = str(missing_setting("token_url", "shop"))

    assert f"But there is the environment variable `{variable}`" in message
    assert described in message
    assert SECRET not in message


def test_other_settings_are_not_meant(settings_files: Path) -> None:
    (settings_files / "config.toml").write_text(
        '[alerts]\nbase_url = "x"\n[sources.crm]\nbase_url = "x"\n[destination.x]\nbase_url = "x"\n'
    )
    assert "But there is" not in str(missing_setting("base_url", "shop"))
    (settings_files / "config.toml").write_text('[sources.shopp]\nbase_url = "x"\n')
    assert "in the section [sources.shopp]" in str(missing_setting("base_url", "shop"))
