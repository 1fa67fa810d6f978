"""The APIs of the project, their warehouses, and the selection of their resources."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from analytics_assets import defs
from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError, did_you_mean
from analytics_assets.config.resource import ResourceConfig, refuse_shared_tables
from analytics_assets.config.text.excerpts import first_names
from analytics_assets.orchestration import project
from analytics_assets.warehouse.warehouse import Warehouse

METAVAR = "[API[/RESOURCE]]..."
NAMES = (
    "Names are those of APIs (`shop`) and of resources (`shop/orders`, or `orders` where one API "
    "alone has it); without any, all resources of all APIs are meant."
)
MOST_NAMES = 20  # that an error lists


def load_apis() -> Mapping[str, Api]:
    """Load the API of every folder in `defs/`; needs no OpenAPI document yet.

    Returns:
        The APIs by name.

    Raises:
        ConfigurationError: an API is invalid, or two have the same name or table.
        WarehouseError: a setting of the warehouse cannot be used.
    """
    apis = project.load_apis(defs)
    warehouses = {name: Warehouse.from_settings(name) for name in apis}
    refuse_shared_tables(
        (resource.full_name, warehouses[name].qualified(resource.table))
        for name, api in apis.items()
        for resource in api.resources.values()
    )
    return apis


def takes_resources(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument by which every command takes names, and their meaning to its help.

    Args:
        command: a function of `resources`, documented.
    """
    command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n{NAMES}"
    return click.argument("resources", nargs=-1, metavar=METAVAR)(command)


def all_resources(apis: Mapping[str, Api]) -> list[ResourceConfig]:
    """Return the resources of all APIs."""
    return [each for api in apis.values() for each in api.resources.values()]


def select_resources(
    apis: Mapping[str, Api], names: Sequence[str], others: Sequence[str] = ()
) -> list[ResourceConfig]:
    """Return the named resources, or all.

    Args:
        apis: the APIs by name.
        names: each an API, `api/resource`, or a resource that only one API has.
        others: the names of other assets that the command takes, for its error.

    Raises:
        click.BadParameter: there is no such resource, or several APIs have it.
        ConfigurationError: there is no API at all.
    """
    resources = all_resources(apis)
    if not (resources or others):
        raise ConfigurationError(project.NO_API)
    if not names:
        return resources
    selected: dict[str, ResourceConfig] = {}
    for name in names:
        found = [each for each in resources if name in _names_of(each)]
        exact = [each for each in found if name != each.name]
        if not found:
            raise click.BadParameter(_unknown(name, resources, others))
        if not exact and len(found) > 1:
            several = ", ".join(each.full_name for each in found)
            raise click.BadParameter(f"several APIs have a resource {name}: {several}.")
        selected |= {each.full_name: each for each in exact or found}
    return list(selected.values())


def _unknown(name: str, resources: Sequence[ResourceConfig], others: Sequence[str]) -> str:
    """Return the error of a name that nothing has."""
    every = dict.fromkeys(part for each in resources for part in _names_of(each))
    of_api = [each.full_name for each in resources if name.startswith(f"{each.api_name}/")]
    known = of_api or [*(each.full_name for each in resources), *others]
    return (
        f"no API or resource {name}{did_you_mean(name, [*every, *others])} "
        f"There are {first_names(known, MOST_NAMES)}."
    )


def _names_of(resource: ResourceConfig) -> tuple[str, str, str]:
    return resource.api_name, resource.full_name, resource.name


def warehouses_shown(api_names: Iterable[str]) -> str:
    """Return the destination and the datasets of some APIs, for display."""
    warehouses = [Warehouse.from_settings(name) for name in api_names]
    places = {str(each.duckdb_file or each.destination_type): None for each in warehouses}
    datasets = list(dict.fromkeys(each.dataset for each in warehouses))
    noun = "dataset" if len(datasets) == 1 else "datasets"
    return f"{', '.join(places)}, {noun} {', '.join(datasets)}" if warehouses else ""
