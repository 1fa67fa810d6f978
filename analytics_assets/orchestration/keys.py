"""What assets are called, and where endpoints are."""

import dagster as dg

from analytics_assets.config.api import Api


def asset_key(api: Api, resource: str) -> dg.AssetKey:
    """Name the asset of a resource's table."""
    return dg.AssetKey([api.name, resource])


def endpoint_key(api: Api, resource: str) -> dg.AssetKey:
    """Name the upstream asset that stands for a resource's endpoint."""
    return dg.AssetKey([f"{api.name}_api", resource])


def endpoint_url(base_url: str, path: str) -> str:
    """Return where an endpoint is; its path may be a whole URL."""
    return path if "://" in path else f"{base_url.rstrip('/')}/{path.lstrip('/')}"
