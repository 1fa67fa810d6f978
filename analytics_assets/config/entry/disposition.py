"""The write disposition of an entry that names none: rows that are read again are not doubled."""

from collections.abc import Mapping
from typing import Any

from analytics_assets.config.resource import (
    as_entry,
    as_fields,
    is_resource_function,
    merged_entry,
)
from analytics_assets.config.validation.load import has_incremental_cursor


def with_dispositions(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dlt configuration in which each entry has a `write_disposition`.

    dlt's default is `append`, by which a load that reads all rows adds them to those of the load
    before. Here rows with a key are merged, and others replace the table. An entry with a cursor of
    dlt's own keeps dlt's default, as it reads new rows alone.

    Args:
        config: the configuration, valid.

    Example:
        >>> entry = {"name": "orders", "primary_key": "id", "endpoint": "v1/orders"}
        >>> with_dispositions({"resources": [entry]})["resources"][0]["write_disposition"]
        'merge'
    """
    defaults = config.get("resource_defaults") or {}
    return {**config, "resources": [_filled(defaults, each) for each in config["resources"]]}


def _filled(defaults: Mapping[str, Any], entry: Any) -> Any:
    if is_resource_function(entry):
        return entry
    named = as_entry(entry)
    merged = merged_entry(defaults, named)
    keys = [merged[name] for name in ("primary_key", "merge_key") if merged.get(name)]
    if "write_disposition" in merged or has_incremental_cursor(merged["endpoint"]):
        return entry
    if keys and not any(as_fields(key) for key in keys):
        return entry  # a key by a function, which only dlt knows
    return {**named, "write_disposition": "merge" if keys else "replace"}
