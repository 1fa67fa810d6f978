"""Asset keys of tables and endpoints."""

import dagster as dg

from analytics_assets.config.resource import LOAD_HEALTH, ResourceConfig


def asset_key(resource: ResourceConfig) -> dg.AssetKey:
    """Return the key of the asset of a resource's table."""
    return dg.AssetKey([resource.api_name, resource.name])


def endpoint_key(resource: ResourceConfig) -> dg.AssetKey:
    """Return the key of the upstream asset of a resource's endpoint."""
    return dg.AssetKey([f"{resource.api_name}_api", resource.name])


def load_health_key(api_name: str) -> dg.AssetKey:
    """Return the key of the asset with the outcome of each load of an API."""
    return dg.AssetKey([api_name, LOAD_HEALTH])


def op_name(resource: ResourceConfig) -> str:
    """Return the name of the op that materializes a resource."""
    return f"{resource.api_name}__{resource.name}"
