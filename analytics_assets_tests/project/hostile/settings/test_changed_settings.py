"""Settings that change while a process runs: each use has those of the files."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.providers.vault import VaultDocProvider
from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.config.settings.look_up import look_up
from analytics_assets.config.settings.providers import changes
from analytics_assets.config.settings.providers.changes import reread_settings, settings_state
from analytics_assets.extract.http.connection import connect
from analytics_assets.orchestration.automation.new_data.sensor import EndpointRefusedError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.orchestration.automation.new_data.ticker import Ticker
from analytics_assets_tests.support.loading import failures_of, load
from analytics_assets_tests.support.sandbox import Sandbox

Write = Callable[..., None]
URL = "http://a.test"
SETTING = '{} = "{}"\n'


@pytest.fixture
def write(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a file of settings of this folder, which the process has read before."""
    context = Container()[PluggableRunContext]
    before = context.providers
    context.providers = ConfigProvidersContainer([*before.providers])  # gets those of a test
    folder = clean_place / ".dlt"
    folder.mkdir()
    files = {folder / name: changes.NO_FILE for name in ("secrets.toml", "config.toml")}
    monkeypatch.setattr(changes, "_read", files)

    def write(name: str = "secrets.toml", more: str = "", **settings: str) -> None:
        text = "".join(SETTING.format(key, value) for key, value in settings.items())
        (folder / name).write_text(text + more)

    yield write
    context.providers = before
    context.context.reset_config()


@pytest.fixture
def apis() -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two APIs, each with a client of its own."""
    with ExitStack() as running:
        sandboxes = [Sandbox(today=TODAY, client_id=uuid4().hex) for _ in range(2)]
        first, second = [running.enter_context(sandbox) for sandbox in sandboxes]
        yield first, second


def settings_of(sandbox: Sandbox) -> dict[str, str]:
    return {
        "base_url": sandbox.base_url,
        "token_url": sandbox.token_url,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }


def paths(sandbox: Sandbox) -> set[str]:
    return {request.path for request in sandbox.requests}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_the_sensor_asks_the_api_of_the_settings_at_each_tick(
    write: Write, apis: tuple[Sandbox, Sandbox], instance: dg.DagsterInstance
) -> None:
    first, second = apis
    ticker = Ticker(instance, first)
    write(**settings_of(first))
    assert ticker.tick()
    asked = len(first.requests)
    assert "/v1/page_views" in paths(first)

    write(**settings_of(second))

    assert ticker.tick()
    assert len(first.requests) == asked
    assert paths(second) == paths(first)


@pytest.mark.usefixtures("duckdb_warehouse")
def test_the_sensor_fails_a_tick_with_a_file_that_is_half_written_and_continues_in_the_next(
    write: Write, apis: tuple[Sandbox, Sandbox], instance: dg.DagsterInstance
) -> None:
    first, second = apis
    ticker = Ticker(instance, first)
    write(**settings_of(first))
    ticker.tick()
    half = Path(".dlt/secrets.toml")
    half.write_text(f'base_url = "{second.base_url}"\nclient_secret = "a-marked-secret')

    with pytest.raises(EndpointRefusedError, match="cannot be read as TOML") as failed:
        ticker.tick()
    assert "a-marked-secret" not in str(failed.value)
    write(**settings_of(second))
    assert ticker.tick()
    assert "/v1/page_views" in paths(second)


def test_a_load_in_a_worker_that_lives_for_long_has_the_new_secret(
    write: Write,
    apis: tuple[Sandbox, Sandbox],
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    first, second = apis
    write(**settings_of(first))
    assert failures_of(load(instance, "page_views")) == {}
    write(**{**settings_of(second), "client_secret": "of-yesterday"})
    assert "invalid_client" in str(failures_of(load(instance, "page_views")))

    write(**settings_of(second))

    assert failures_of(load(instance, "page_views")) == {}
    assert "/v1/page_views" in paths(second)


def test_limits_are_those_of_the_file(write: Write) -> None:
    found = []
    for limit in (2, 33):
        write("config.toml", f"[reading]\nmax_in_flight = {limit}\n[runtime]\n", base_url=URL)
        connection = connect({"base_url": dlt.config.value}, "shop", embeddable=False)
        found.append(connection.rate_limit)

    assert found[0] is not found[1]


def test_files_that_are_the_same_are_not_read_again(write: Write) -> None:
    write(some="value")
    reread_settings()
    before = Container()[PluggableRunContext].providers

    reread_settings()

    assert Container()[PluggableRunContext].providers is before
    assert look_up("some") == "value"


def test_a_file_that_changed_before_the_first_use_is_read(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(some="value")
    reread_settings()
    monkeypatch.setattr(changes, "_read", {})
    monkeypatch.setattr(changes, "STARTED", time.time_ns() + 10**9)
    reread_settings()
    before = Container()[PluggableRunContext].providers
    monkeypatch.setattr(changes, "_read", {})
    monkeypatch.setattr(changes, "STARTED", 0)
    reread_settings()
    assert Container()[PluggableRunContext].providers is not before


def test_a_provider_of_ones_own_stays(write: Write) -> None:
    class Own(VaultDocProvider):
        name = "own"

        def _look_vault(self, full_key: str, hint: type) -> str:
            return None  # type: ignore[return-value]  # as dlt's own providers do

        def _list_vault(self) -> set[str]:
            return set()

    write(some="value")
    dlt.config.register_provider(Own(only_secrets=False, only_toml_fragments=False))
    write(some="other")

    reread_settings()

    assert look_up("some") == "other"
    assert "own" in Container()[PluggableRunContext].providers


def test_what_a_provider_of_ones_own_says_may_change_at_any_time(write: Write) -> None:
    class Own(ConfigProvider):
        name = "own"
        supports_secrets = supports_sections = is_writable = False

        def get_value(self, key: str, hint: Any, pipeline_name: str | None, *sections: str) -> Any:
            return None, key

    assert settings_state() == settings_state()
    dlt.config.register_provider(Own())
    assert settings_state() != settings_state()
