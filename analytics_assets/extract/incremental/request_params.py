"""The parameters of a load, or of a sample, in the requests of an entry."""

from collections.abc import Mapping
from typing import Any

from analytics_assets.config.entry.place import PARTS, literal, placed
from analytics_assets.config.resource import (
    as_endpoint,
    as_entry,
    is_resource_function,
    merged_entry,
    name_of,
)


def with_params(
    config: Mapping[str, Any], resource: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    """Add parameters to the requests of one resource.

    Args:
        config: a dlt REST configuration; left as it is.
        resource: the resource.
        params: the parameters by their places, see `Place`; texts are sent as they are.

    Returns:
        The configuration with them.

    Example:
        >>> config = with_params({"resources": ["orders"]}, "orders", {"json.day": "2026-01-31"})
        >>> config["resources"]
        [{'name': 'orders', 'endpoint': {'path': 'orders', 'json': {'day': '2026-01-31'}}}]
    """
    defaults = config.get("resource_defaults") or {}
    entries = [_with_params(entry, resource, params, defaults) for entry in config["resources"]]
    return {**config, "resources": entries}


def _with_params(
    entry: Any, resource: str, params: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Any:
    if is_resource_function(entry) or name_of(entry) != resource or not params:
        return entry
    entry = as_entry(entry)
    merged = merged_entry(defaults, entry)["endpoint"]
    found = placed(merged, literal(params))
    own = as_endpoint(entry.get("endpoint"))
    changed = {part: found[part] for part in PARTS if found.get(part) is not merged.get(part)}
    return {**entry, "endpoint": {**own, **changed}}
