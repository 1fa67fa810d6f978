"""Assets of the project that are made of loaded tables, such as those of a mart."""

from collections.abc import Iterable, Sequence

import dagster as dg

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.keys import asset_key, load_health_key


def downstream_assets(
    project: dg.Definitions, resources: Iterable[ResourceConfig]
) -> list[dg.AssetKey]:
    """Return the assets that are made of tables, in the order of their names.

    Args:
        project: the definitions of the project.
        resources: all resources of its APIs, whose assets are left out, as is `load_health`; so are
            assets of partitions, as only their own schedules know which are due.
    """
    graph = project.resolve_asset_graph()
    known = {make(each) for each in resources for make in (asset_key, _load_health_of)}
    keys = graph.materializable_asset_keys - known
    return sorted(key for key in keys if not graph.get(key).is_partitioned)


def of_loaded_tables(
    project: dg.Definitions, keys: Sequence[dg.AssetKey], lost: set[dg.AssetKey]
) -> list[dg.AssetKey]:
    """Return the assets without a lost table: others would be fresh with the rows from before.

    Args:
        project: the definitions of the project.
        keys: assets that are made of tables.
        lost: the tables that were to be loaded, and were not.
    """
    graph = project.resolve_asset_graph()
    return [key for key in keys if not lost & graph.get_ancestor_asset_keys(key)]


def named_assets(keys: Sequence[dg.AssetKey], names: Iterable[str]) -> dict[str, list[dg.AssetKey]]:
    """Return the assets that each name stands for: one of them, or all of its prefix.

    Args:
        keys: the assets that can be named.
        names: those of the command line; one that is no asset's is left out.

    Example:
        >>> keys = [dg.AssetKey(["mart", "sales"]), dg.AssetKey(["mart", "visits"])]
        >>> {name: names_of(found) for name, found in named_assets(keys, ["mart", "shop"]).items()}
        {'mart': 'mart/sales, mart/visits'}
    """
    found = {
        name: [key for key in keys if name in (key.path[0], key.to_user_string())] for name in names
    }
    return {name: assets for name, assets in found.items() if assets}


def _load_health_of(resource: ResourceConfig) -> dg.AssetKey:
    return load_health_key(resource.api_name)


def names_of(keys: Sequence[dg.AssetKey]) -> str:
    """Return the names of assets as the UI shows them."""
    return ", ".join(key.to_user_string() for key in keys)
