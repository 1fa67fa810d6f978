"""The list of settings of `check`: the place of each, and no value."""

from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.cli.commands.check.origins import setting_origins
from analytics_assets.config.api import Api
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.config.given import OPEN, set_all
from analytics_assets_tests.support.sandbox import Sandbox


@pytest.fixture
def places(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings in `config.toml`, `secrets.toml` and a file of one secret."""
    (clean_place / ".dlt").mkdir()
    (clean_place / ".dlt/config.toml").write_text(
        'destination_type = "postgres"\n[sources]\nscope = "a"\n[reading]\npasses = 2\n'
    )
    (clean_place / ".dlt/secrets.toml").write_text(
        '[sources.shop]\nclient_id = "marked-value"\n'
        '[destination.postgres.credentials]\npassword = "marked-value"\n'
    )
    (clean_place / "secrets").mkdir()
    (clean_place / "secrets/sources--shop--client-secret").write_text("marked-value")
    monkeypatch.setenv("SECRETS_DIR", str(clean_place / "secrets"))
    set_all(monkeypatch, SOURCES__SHOP__TOKEN_URL="", LOCK_PATIENCE="7")
    context = Container()[PluggableRunContext]
    before = context.providers
    monkeypatch.setattr(context, "providers", before)
    context.reload_providers()
    return clean_place


def api(**client: Any) -> Api:
    auth = {"base_url": "https://shop.test", "auth": OPEN}
    endpoint = {"path": "orders", "params": {"store": dlt.config.value}}
    entry = {"name": "orders", "endpoint": endpoint}
    return Api(name="shop", config={"client": auth | client, "resources": [entry]})


def test_each_setting_has_its_place(places: Path) -> None:
    found = dict(setting_origins([api()]))
    of_shop = {name: place for name, place in found.items() if name.startswith("sources.shop.")}
    assert {name: of_shop[name] for name in of_shop if of_shop[name] != "default"} == {
        "sources.shop.base_url": "api.py",
        "sources.shop.token_url": "environment variable SOURCES__SHOP__TOKEN_URL (empty)",
        "sources.shop.client_id": str(places / ".dlt/secrets.toml"),
        "sources.shop.client_secret": str(places / "secrets/sources--shop--client-secret"),
        "sources.shop.orders.store": "missing",
    }
    assert found["sources.scope"] == str(places / ".dlt/config.toml")
    assert found["destination_type"] == found["reading.passes"] == found["sources.scope"]
    assert found["destination.postgres.credentials.password"] == of_shop["sources.shop.client_id"]
    assert found["lock_patience"] == "environment variable LOCK_PATIENCE"
    assert found["sources.shop.reading.adaptive"] == found["executor"] == "default"
    assert found["load.truncate_staging_dataset"] == "default"


def test_a_setting_that_api_py_gives_is_not_looked_up(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, BASE_URL="https://other.test", CLIENT_ID="other")
    found = dict(setting_origins([api(auth={**OPEN, "client_id": "me"})]))
    assert found["sources.shop.base_url"] == found["sources.shop.client_id"] == "api.py"


def test_check_lists_what_is_set_and_with_an_option_all_without_a_request(
    invoke: Invoke, connected: Sandbox
) -> None:
    short = invoke("check", "page_views").stdout
    asked = len(connected.requests)
    assert asked
    done = invoke("check", "--settings")
    assert done.exit_code == 0, done.output
    assert len(connected.requests) == asked
    found = dict(line.strip().split(maxsplit=1) for line in done.stdout.splitlines())
    assert found["setting"] == "from"
    assert found["client_secret"] == "environment variable CLIENT_SECRET"
    assert found["reading.passes"] == "default"
    assert "environment variable CLIENT_SECRET" in short
    assert "default" not in short
    for text in (short, done.stdout):
        assert connected.client_secret not in text
