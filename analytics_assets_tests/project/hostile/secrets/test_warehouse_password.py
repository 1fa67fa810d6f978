"""The password of a warehouse, in each place where dlt looks it up."""

import json
import socket
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import failures_of, load
from analytics_assets_tests.support.token_server import chain

PASSWORD = "s3cret/of+warehouse"
QUOTED = quote(PASSWORD, safe="")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DESTINATION__POSTGRES__CREDENTIALS", f"postgresql://loader:{QUOTED}@db/shop"),
        ("DESTINATION__POSTGRES__CREDENTIALS__PASSWORD", PASSWORD),
        ("DESTINATION__CREDENTIALS", f"postgresql://loader:{QUOTED}@db/shop"),
        ("CREDENTIALS__PASSWORD", PASSWORD),
        ("DESTINATION__SNOWFLAKE__CREDENTIALS__PRIVATE_KEY", PASSWORD),
        ("DESTINATION__BIGQUERY__CREDENTIALS", json.dumps({"private_key": PASSWORD})),
        ("DESTINATION__FILESYSTEM__CREDENTIALS__AWS_SECRET_ACCESS_KEY", PASSWORD),
        ("DESTINATION__DUCKDB__CREDENTIALS", f"md:shop?motherduck_token={QUOTED}"),
        ("PGPASSWORD", PASSWORD),
    ],
)
def test_a_password_in_the_environment_is_known(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    Warehouse.from_settings("shop")
    assert redact(f"with {PASSWORD}, `destination.postgres.credentials`") == (
        "with ***, `destination.postgres.credentials`"
    )


@pytest.mark.parametrize("file", ["secrets.toml", "config.toml"])
@pytest.mark.parametrize(
    "text",
    [
        f'[destination.postgres]\ncredentials = "postgresql://loader:{QUOTED}@db/shop"',
        f'[destination.postgres.credentials]\npassword = "{PASSWORD}"\nusername = "loader"',
    ],
)
def test_a_password_in_a_file_is_known(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / file).write_text(text)
    settings = Container()[PluggableRunContext]
    settings.reload_providers()
    try:
        Warehouse.from_settings("shop")
        assert redact(f"with {PASSWORD} of loader") == "with *** of loader"
    finally:
        (tmp_path / ".dlt" / file).unlink()
        settings.reload_providers()


def test_the_path_of_a_duckdb_file_is_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "ware9house.duckdb"))
    Warehouse.from_settings("shop")
    assert redact(f"{tmp_path}/ware9house.duckdb") == f"{tmp_path}/ware9house.duckdb"


def test_a_warehouse_that_is_down_makes_an_error_without_its_password(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        at = f"loader:{QUOTED}@127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("DESTINATION_TYPE", "postgres")
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", f"postgresql://{at}/shop")
        warehouse = Warehouse.from_settings("shop")
        with pytest.raises(WarehouseError, match="cannot be opened") as failure, warehouse.open():
            pass
        result = load(instance, "page_views")
    [failed] = failures_of(result).values()
    assert "The warehouse cannot be opened" in failed
    events = " ".join(str(event) for event in instance.all_logs(result.run_id))
    for text in (chain(failure.value), failed, events, caplog.text):
        assert "s3cret" not in text
