"""The APIs of `defs/`, and the selection of their resources by name."""

import shutil
from pathlib import Path

import click
import pytest

from analytics_assets.cli.project import load_apis, select_resources
from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError

NAMES = {"shop": ("orders", "customers"), "support": ("tickets", "customers")}


def api(name: str, *resources: str) -> Api:
    client = {"base_url": "https://api.example.com"}
    entries = [{"name": resource, "endpoint": resource} for resource in resources]
    return Api(name=name, config={"client": client, "resources": entries})


APIS = {name: api(name, *resources) for name, resources in NAMES.items()}


def select(*names: str) -> list[str]:
    return [f"{each.api_name}/{each.name}" for each in select_resources(APIS, names)]


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        ([], ["shop/orders", "shop/customers", "support/tickets", "support/customers"]),
        (["support"], ["support/tickets", "support/customers"]),
        (["support/customers"], ["support/customers"]),
        (["tickets"], ["support/tickets"]),
        (["shop", "tickets", "orders"], ["shop/orders", "shop/customers", "support/tickets"]),
    ],
)
def test_names_select_an_api_a_resource_of_an_api_or_a_resource(
    names: list[str], selected: list[str]
) -> None:
    assert select(*names) == selected


def test_a_resource_that_two_apis_have_is_refused_with_both() -> None:
    with pytest.raises(click.BadParameter, match="shop/customers, support/customers") as refused:
        select("customers")
    assert "several APIs have a resource customers" in str(refused.value)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        click.BadParameter,
        match=r"no API or resource shop/tickets; did you mean `.+`\? There are shop/orders",
    ):
        select("shop/tickets")


def test_two_apis_of_the_same_name_are_refused(api_file: Path) -> None:
    shutil.copytree(api_file.parent, api_file.parent.with_name("edited_too"))

    with pytest.raises(ConfigurationError, match="Two APIs in `defs/` have the name `analytics`"):
        load_apis()
