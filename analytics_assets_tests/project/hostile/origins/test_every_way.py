"""Links and redirects to another origin, by each way that asks an API."""

from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from click.testing import CliRunner

from analytics_assets.cli.main import main
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.new_data.sensor import EndpointRefusedError
from analytics_assets_tests.orchestration.automation.new_data.ticker import Ticker
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.loading import failures_of, load
from analytics_assets_tests.support.sandbox import Sandbox

PAGE = {"data": [{"id": 1, "date": "2025-07-31", "updated_at": "2025-07-31T00:00:00Z"}]}


@pytest.fixture
def other() -> Iterator[Server]:
    with Server(lambda _request: Answer({**PAGE, "total": 1, "openapi": "3.1.0"})) as running:
        yield running


def materialized(instance: dg.DagsterInstance, _sandbox: Sandbox) -> str:
    result = load(instance, "page_views")
    assert not result.success
    return str(failures_of(result))


def checked(_instance: dg.DagsterInstance, _sandbox: Sandbox) -> str:
    done = CliRunner().invoke(main, ["check", "page_views"])
    assert done.exit_code == 1
    return done.output


def compared(_instance: dg.DagsterInstance, _sandbox: Sandbox) -> str:
    done = CliRunner().invoke(main, ["contract", "--check"])
    assert done.exit_code == 1
    return done.output


def watched(instance: dg.DagsterInstance, sandbox: Sandbox) -> str:
    with pytest.raises(EndpointRefusedError) as failed:
        Ticker(instance, sandbox).tick()
    return str(failed.value)


@pytest.mark.usefixtures("duckdb_warehouse")
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(materialized, id="a load is redirected to another origin"),
        pytest.param(checked, id="`check` is redirected to another origin"),
        pytest.param(compared, id="`contract` is redirected to another origin"),
        pytest.param(watched, id="the sensor is redirected to another origin"),
    ],
)
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_refused(
    ask: Callable[[dg.DagsterInstance, Sandbox], str],
    status: int,
    instance: dg.DagsterInstance,
    connected: Sandbox,
    other: Server,
) -> None:
    headers = {"Location": other.url("/elsewhere")}
    for path in ("/openapi.json", *(f"/v1/{name}" for name in API.resources)):
        connected.faults.add(Fault(path=path, times=None, status=status, headers=headers))

    error = ask(instance, connected)

    assert other.requests == []
    assert f"the API redirects to {other.base_url}, which is another origin than " in error
    assert connected.base_url in error
    assert connected.client_secret not in error
