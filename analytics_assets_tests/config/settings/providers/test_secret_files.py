"""Files of one setting each, as they are mounted into containers."""

import os
from collections.abc import Iterator
from pathlib import Path

import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.config.errors import SettingsError, UnreachableFolderError
from analytics_assets.config.settings.client import resolve_client
from analytics_assets.config.settings.look_up import look_up
from analytics_assets.config.settings.providers import changes, secret_files
from analytics_assets.config.settings.providers.changes import reread_settings
from analytics_assets.config.settings.providers.secret_files import SecretFiles, secrets_folder
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.config.given import BASE_URL, OPEN, set_all


@pytest.fixture
def secrets(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the files, which the process has read before."""
    context = Container()[PluggableRunContext]
    before = context.providers
    folder = clean_place / "secrets"
    folder.mkdir()
    monkeypatch.setenv("SECRETS_DIR", str(folder))
    monkeypatch.setattr(changes, "_read", {folder: changes.NO_FILE})
    yield folder
    context.providers = before
    context.context.reset_config()


def value_of(folder: Path, *name: str) -> str | None:
    return SecretFiles(folder).get_value(name[-1], str, None, *name[:-1])[0]


@pytest.mark.parametrize(
    "name",
    [
        "SOURCES__SHOP__CLIENT_ID",
        "sources__shop__client_id",
        "sources.shop.client_id",
        "sources--shop--client-id",
        "sources--shop--client-id/sources--shop--client-id",
    ],
)
def test_a_file_has_the_name_of_the_variable_or_of_the_setting(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("me\n")
    assert value_of(tmp_path, "sources", "shop", "client_id") == "me"
    assert value_of(tmp_path, "sources", "client_id") is None


def test_the_value_is_the_text_without_the_end_of_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "private_key").write_text("-----BEGIN-----\nabc\n-----END-----\r\n\n")
    (tmp_path / "password").write_text(" with spaces ")
    assert value_of(tmp_path, "private_key") == "-----BEGIN-----\nabc\n-----END-----"
    assert value_of(tmp_path, "password") == " with spaces "


def test_the_mark_that_windows_puts_before_a_text_is_not_of_the_value(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n", encoding="utf-8-sig")
    assert value_of(tmp_path, "password") == "secret"


def test_the_environment_goes_before_the_files_and_these_before_secrets_toml(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = secrets.parent / ".dlt" / "secrets.toml"
    toml.parent.mkdir()
    toml.write_text('token_url = "https://c.test"\nclient_id = "c"\nclient_secret = "c"\n')
    (secrets / "client_id").write_text("b\n")
    (secrets / "client_secret").write_text("b\n")
    set_all(monkeypatch, CLIENT_SECRET="a")
    reread_settings()

    oauth2 = resolve_client({"base_url": BASE_URL, "auth": OPEN}, "shop").oauth2

    assert oauth2 is not None
    assert (oauth2.token_url, oauth2.client_id) == ("https://c.test", "b")
    assert oauth2.client_secret == "a"


def test_credentials_of_the_warehouse_and_other_settings_of_dlt_are_found(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    url = "postgresql://loader:a-marked-secret@db.test:5433/analytics\n"
    (secrets / "DESTINATION__POSTGRES__CREDENTIALS").write_text(url)
    (secrets / "lock_patience").write_text("7\n")
    reread_settings()
    warehouse = Warehouse.from_settings("shop")
    assert warehouse.lock_patience == 7
    client = warehouse.pipeline("reader").sql_client()
    credentials = client.credentials
    assert (credentials.host, credentials.port) == ("db.test", 5433)
    assert credentials.password == "a-marked-secret"
    assert redact("with a-marked-secret") == "with ***"


def test_a_file_of_the_environment_variables_of_dlt_is_not_written_into_the_environment(
    secrets: Path,
) -> None:
    (secrets / "client-secret").write_text("shh\n")
    reread_settings()
    assert look_up("client_secret", "sources", "shop") == "shh"
    assert "CLIENT_SECRET" not in os.environ


def test_a_secret_that_kubernetes_rotates_is_seen_by_the_next_use(secrets: Path) -> None:
    """It mounts links to a folder behind a link, which it replaces at once."""

    def rotate(version: str, value: str) -> None:
        (secrets / version).mkdir()
        (secrets / version / "client_secret").write_text(f"{value}\n")
        (secrets / "..new").symlink_to(version)
        (secrets / "..new").replace(secrets / "..data")

    rotate("..2026_01", "old")
    (secrets / "client_secret").symlink_to("..data/client_secret")
    reread_settings()
    assert look_up("client_secret") == "old"

    rotate("..2026_02", "new")

    reread_settings()
    assert look_up("client_secret") == "new"


def test_a_file_that_is_added_or_removed_is_seen_by_the_next_use(secrets: Path) -> None:
    reread_settings()
    assert look_up("client_id") is None
    (secrets / "client_id").write_text("me")
    reread_settings()
    assert look_up("client_id") == "me"
    (secrets / "client_id").unlink()
    reread_settings()
    assert look_up("client_id") is None


def test_a_file_that_cannot_be_read_is_named_and_its_content_is_not(secrets: Path) -> None:
    (secrets / "client_secret").write_bytes(b"a-marked-secret\xff")
    (secrets / "token_of_another_program").mkdir()
    reread_settings()
    assert look_up("client_id") is None
    with pytest.raises(SettingsError) as failed:
        look_up("client_secret")
    assert str(failed.value) == (
        f"The secret in {secrets}/client_secret cannot be read: it is not in UTF-8. Mount it so "
        "that the user of the process can read it, or name another folder by the environment "
        "variable SECRETS_DIR."
    )
    assert failed.value.__cause__ is None


def test_without_a_name_the_folder_need_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS_DIR", "")
    monkeypatch.setattr(secret_files, "DEFAULT_FOLDER", f"{tmp_path}/mounted")
    assert secrets_folder() == tmp_path / "mounted"
    assert SecretFiles(secrets_folder()).is_empty


def test_a_mount_that_is_gone_is_not_taken_for_one_without_secrets(secrets: Path) -> None:
    (secrets / "client_secret").write_text("shh")
    reread_settings()
    secrets.rename(secrets.parent / "elsewhere")
    with pytest.raises(UnreachableFolderError, match=f"SECRETS_DIR names the folder {secrets},"):
        reread_settings()


def test_a_link_to_nothing_is_named(secrets: Path) -> None:
    (secrets / "client_secret").symlink_to("..data/client_secret")
    reread_settings()
    with pytest.raises(SettingsError, match=r"client_secret cannot be read: No such file"):
        dlt.secrets.get("client_secret")
