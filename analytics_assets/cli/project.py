"""The APIs of the project, their warehouses, and the selection of their resources."""

from collections.abc import Iterable, Mapping, Sequence

import click

from analytics_assets import defs
from analytics_assets.config.api import Api
from analytics_assets.config.errors import did_you_mean
from analytics_assets.config.resource import ResourceConfig, refuse_shared_tables
from analytics_assets.orchestration import project
from analytics_assets.warehouse.warehouse import Warehouse


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


def select_apis(apis: Mapping[str, Api], names: Sequence[str]) -> list[Api]:
    """Return the named APIs, or all.

    Raises:
        click.BadParameter: there is no such API.
    """
    for name in names:
        if name not in apis:
            raise click.BadParameter(
                f"no API {name}{did_you_mean(name, apis)} There are {', '.join(apis)}."
            )
    return [apis[name] for name in names] or list(apis.values())


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
    """
    resources = [each for api in apis.values() for each in api.resources.values()]
    if not names:
        return resources
    selected: dict[str, ResourceConfig] = {}
    for name in names:
        found = [each for each in resources if name in _names_of(each)]
        exact = [each for each in found if name != each.name]
        if not found:
            known = [*(each.full_name for each in resources), *others]
            raise click.BadParameter(
                f"no resource {name}{did_you_mean(name, [*_all_names(resources), *others])} "
                f"There are {', '.join(known)}."
            )
        if not exact and len(found) > 1:
            several = ", ".join(each.full_name for each in found)
            raise click.BadParameter(f"several APIs have a resource {name}: {several}.")
        selected |= {each.full_name: each for each in exact or found}
    return list(selected.values())


def _all_names(resources: Sequence[ResourceConfig]) -> list[str]:
    return [name for each in resources for name in _names_of(each)]


def _names_of(resource: ResourceConfig) -> tuple[str, str, str]:
    return resource.api_name, resource.full_name, resource.name


def warehouses_shown(api_names: Iterable[str]) -> str:
    """Return the destination and the datasets of some APIs, for display."""
    warehouses = [Warehouse.from_settings(name) for name in api_names]
    places = {str(each.duckdb_file or each.destination_type): None for each in warehouses}
    datasets = list(dict.fromkeys(each.dataset for each in warehouses))
    noun = "dataset" if len(datasets) == 1 else "datasets"
    return f"{', '.join(places)}, {noun} {', '.join(datasets)}" if warehouses else ""
