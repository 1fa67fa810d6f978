"""Asset keys of tables and endpoints."""

import dagster as dg

from analytics_assets.config.resource import LOAD_HEALTH, ResourceConfig

ENDPOINTS = "web_api"


def asset_key(resource: ResourceConfig) -> dg.AssetKey:
    """Return the key of the asset of a resource's table."""
    return dg.AssetKey([resource.api_name, resource.name])


def endpoint_key(resource: ResourceConfig) -> dg.AssetKey:
    """Return the key of the upstream asset of a resource's endpoint.

    The Dagster UI sorts assets by their keys, so that tables come before the endpoints of all APIs.
    """
    return dg.AssetKey([ENDPOINTS, resource.api_name, resource.name])


def api_name_of(key: dg.AssetKey) -> str:
    """Return the name of the API of a table or an endpoint.

    Example:
        >>> api_name_of(dg.AssetKey(["shop", "orders"]))
        'shop'
        >>> api_name_of(dg.AssetKey(["web_api", "shop", "orders"]))
        'shop'
    """
    is_endpoint = key.path[0] == ENDPOINTS and len(key.path) > 2
    return key.path[1] if is_endpoint else key.path[0]


def endpoint_group(resource: ResourceConfig) -> str:
    """Return the group of an API's endpoints."""
    return f"{ENDPOINTS}_{resource.api_name}"


def load_health_key(api_name: str) -> dg.AssetKey:
    """Return the key of the asset with the outcome of each load of an API."""
    return dg.AssetKey([api_name, LOAD_HEALTH])


def op_name(resource: ResourceConfig) -> str:
    """Return the name of the op that materializes a resource."""
    return f"{resource.api_name}__{resource.name}"
