import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import dlt
import pytest

from analytics_assets.config.errors import ConfigurationError, SettingsError, find_cause
from analytics_assets.extract.http.errors import ResponseError
from analytics_assets.extract.source import rest_api_source
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import statuses

ORDERS = [{"id": 1}, {"id": 2}]
LINES = [{"order": 1, "article": "pen"}, {"order": 1, "article": "ink"}]
PATH = "/v1/orders"


def seed() -> dict[str, Any]:
    return {
        "client": {
            "base_url": "https://api.example.com",
            "auth": {
                "type": "oauth2",
                "client_id": dlt.secrets["client_id"],
                "client_secret": dlt.secrets["client_secret"],
                "token_url": "https://oauth2.googleapis.com/token",
            },
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {
                "name": "website_overview",
                "endpoint": {
                    "path": "/v1/website_overview",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            {
                "name": "daily_active_users",
                "endpoint": {
                    "path": "/v1/daily_active_users",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            {
                "name": "traffic_sources",
                "endpoint": {
                    "path": "/v1/traffic_sources",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
        ],
    }


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    rows: dict[str, list[dict[str, Any]]] = {"orders": ORDERS, "lines": LINES, "1": LINES, "2": []}
    client_id = secrets.token_hex(8)
    with Sandbox(today=TODAY, client_id=client_id, extra_rows=rows) as running:
        yield running


@pytest.fixture
def api(shared: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The module's API, with the client in the environment and nothing wrong."""
    monkeypatch.setenv("CLIENT_ID", shared.client_id)
    monkeypatch.setenv("CLIENT_SECRET", shared.client_secret)
    yield shared
    shared.faults.clear()


def config_of(api: Sandbox, *resources: Any, **parts: Any) -> dict[str, Any]:
    auth = {"type": "oauth2", "token_url": api.token_url}
    client = {"base_url": api.base_url, "auth": auth}
    return {"client": client, "resources": list(resources), **parts}


def orders(**endpoint: Any) -> dict[str, Any]:
    usual = {"path": PATH, "data_selector": "data", "paginator": "single_page"}
    return {"name": "orders", "endpoint": {**usual, **endpoint}}


def rows_of(config: Mapping[str, Any], resource: str = "orders") -> list[Any]:
    return list(rest_api_source(config, "shop").resources[resource])


def test_the_seeds_configuration_is_accepted_word_for_word(api: Sandbox) -> None:
    source = rest_api_source(seed())

    assert list(source.resources) == ["website_overview", "daily_active_users", "traffic_sources"]
    for resource in source.resources.values():
        assert resource.write_disposition == "merge"
        assert resource.compute_table_schema()["columns"]["id"]["primary_key"] is True
    assert seed()["client"]["auth"]["client_id"] == api.client_id


def test_the_seeds_configuration_reads_every_row_once_its_two_addresses_are_real(
    api: Sandbox,
) -> None:
    config = seed()
    config["client"]["base_url"] = api.base_url
    config["client"]["auth"]["token_url"] = api.token_url

    source = rest_api_source(config)

    for name, resource in source.resources.items():
        assert list(resource) == sandbox_rows(name, TODAY)


def test_making_a_source_sends_no_request(api: Sandbox) -> None:
    before = len(api.requests)

    rest_api_source(config_of(api, orders()), "shop")

    assert len(api.requests) == before


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"paginator": "offsett"}, "offsett"),
        ({"paginator": {"type": "offset", "limitt": 100}}, "did you mean `limit`"),
        ({"path": "/v1/{resources.customers.id}"}, "customers"),
        ({"method": "FETCH"}, "method"),
    ],
)
def test_an_entry_that_dlt_refuses_is_named(
    api: Sandbox, broken: dict[str, Any], named: str
) -> None:
    with pytest.raises(
        ConfigurationError, match=r"(refuses the entry of|resource) `orders`"
    ) as refusal:
        rest_api_source(config_of(api, orders(**broken)), "shop")

    assert named in str(refusal.value)


def test_an_entry_may_ignore_a_status_before_it_counts_as_an_error(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, status=404, times=None))
    ignoring = [{"status_code": 404, "action": "ignore"}]
    defaults = {"endpoint": {"response_actions": ignoring}}

    assert rows_of(config_of(api, orders(response_actions=ignoring))) == []
    assert rows_of(config_of(api, orders(), resource_defaults=defaults)) == []


def test_an_entry_may_repair_a_body_before_it_counts_as_broken(api: Sandbox) -> None:
    def repair(response: Any, *_arguments: Any, **_options: Any) -> Any:
        response._content = response.content.removeprefix(b")]}',")
        return response

    api.faults.add(Fault(path=PATH, body=')]}\',{"data": [{"id": 3}]}', times=None))

    assert rows_of(config_of(api, orders(response_actions=[repair]))) == [{"id": 3}]


def test_an_error_names_the_resource_in_which_it_happened(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, status=404))

    with pytest.raises(Exception, match="orders") as failure:
        rows_of(config_of(api, orders()))

    error = find_cause(failure.value, ResponseError)
    assert str(error).startswith("orders: GET ")


def test_an_entry_may_be_a_bare_name_or_a_resource_of_ones_own(api: Sandbox) -> None:
    own = dlt.resource([{"id": 9}], name="own")
    config = config_of(api, "v1/orders", own)
    source = rest_api_source(config, "shop")

    assert list(source.resources["own"]) == [{"id": 9}]
    assert list(source.resources["v1/orders"]) == ORDERS


def test_rows_of_a_parent_lead_to_the_rows_of_its_children(api: Sandbox) -> None:
    child = {
        "name": "lines",
        "endpoint": {
            "path": "/v1/{resources.orders.id}",
            "data_selector": "data",
            "paginator": "single_page",
        },
    }

    source = rest_api_source(config_of(api, orders(), child), "shop").with_resources("lines")

    assert list(source) == LINES


def test_a_missing_setting_is_an_error_when_the_source_is_made(
    api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLIENT_SECRET")

    with pytest.raises(SettingsError, match="needs the setting `client_secret`"):
        rest_api_source(config_of(api, orders()), "shop")


def test_each_page_is_requested_once(api: Sandbox) -> None:
    before = len(statuses(api, "/v1/traffic_sources"))
    config = seed()
    config["client"]["base_url"] = api.base_url
    config["client"]["auth"]["token_url"] = api.token_url

    rows = rows_of(config, "traffic_sources")

    pages = -(-len(rows) // 100)
    assert pages > 1
    assert statuses(api, "/v1/traffic_sources")[before:] == [200] * pages


def test_a_key_and_the_hint_of_its_column_are_of_one_column(api: Sandbox) -> None:
    entry = {"name": "orders", "primary_key": "siteUrl", "columns": {"siteUrl": {"nullable": True}}}

    orders = rest_api_source(config_of(api, entry), "shop").resources["orders"]

    columns = orders.compute_table_schema()["columns"]
    assert [name for name in columns if name.lower().startswith("site")] == ["site_url"]
    assert columns["site_url"]["primary_key"] is True
