"""The destination of the settings: unknown, without credentials or driver, or a DuckDB file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse

FORMS = "https://dlthub.com/docs/dlt-ecosystem/destinations"


@pytest.fixture
def config_file(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file `config.toml`, as `.dlt/config.toml` of the project says it may be written."""
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
    folder = clean_place / ".dlt"
    folder.mkdir()
    yield folder / "config.toml"
    (folder / "config.toml").unlink()
    Container()[PluggableRunContext].reload_providers()


def test_the_path_of_the_duckdb_file_may_stand_in_config_toml(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text('[destination.duckdb]\ncredentials = "other.duckdb"\n')
    Container()[PluggableRunContext].reload_providers()
    assert Warehouse.from_settings("shop").duckdb_file == Path("other.duckdb").absolute()
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "first.duckdb")
    assert Warehouse.from_settings("shop").duckdb_file == Path("first.duckdb").absolute()


def test_other_credentials_in_config_toml_are_refused_with_the_right_file(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text('[destination.postgres]\ncredentials = "postgresql://u:secret-1@h/d"\n')
    Container()[PluggableRunContext].reload_providers()
    message = opened("postgres", monkeypatch)
    assert message.startswith("The setting `destination.postgres.credentials` is a secret, and")
    assert "secret-1" not in message


def opened(kind: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DESTINATION_TYPE", kind)
    with pytest.raises(WarehouseError) as refused, Warehouse.from_settings("shop").open():
        pass
    return str(refused.value)


def test_an_unknown_destination_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert opened("postgress", monkeypatch).startswith(
        "The setting `destination_type` is 'postgress', which is no destination of dlt; did you "
        "mean `postgres`? Destinations are `postgres`, "
    )


def test_a_destination_without_credentials_names_their_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kind in ("postgres", "snowflake"):
        assert opened(kind, monkeypatch) == (
            f"The warehouse needs the setting `destination.{kind}.credentials`, which is missing "
            "or has not all parts: set the environment variable "
            f"DESTINATION__{kind.upper()}__CREDENTIALS, or write it into .dlt/secrets.toml. Its "
            f"form: {FORMS}/{kind}."
        )


def test_credentials_of_another_form_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "secret-1@host")
    assert opened("postgres", monkeypatch) == (
        "The setting `destination.postgres.credentials` cannot be read: it has another form than "
        f"{FORMS}/postgres shows."
    )
