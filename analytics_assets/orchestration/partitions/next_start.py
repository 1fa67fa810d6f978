"""The start of the next load of an incremental resource, by the state of its loads."""

from dataclasses import replace
from datetime import datetime

from analytics_assets.config.load import Incremental
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.timestamps import earlier, parse_timestamp
from analytics_assets.warehouse.warehouse import Warehouse

PATIENCE = 2.0  # seconds to wait for a load that has the DuckDB file open


def next_start(resource: ResourceConfig, warehouse: Warehouse) -> datetime | None:
    """Return the time since which the next load of an incremental resource asks for changes.

    Args:
        resource: the resource.
        warehouse: that of its API; opened, and left as it is.

    Returns:
        The newest change that its loads have read, less the lookback, or the start of the first
        load; None if the resource is not incremental.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    load = resource.policy.load
    if not isinstance(load, Incremental):
        return None
    file = warehouse.duckdb_file
    if file and not file.exists():
        return load.start
    with replace(warehouse, lock_patience=PATIENCE).open() as tables:
        state = tables.state(resource.pipeline_name)
    for source in state.get("sources", {}).values():
        of_resource = source.get("resources", {}).get(resource.name, {})
        cursor = of_resource.get("incremental", {}).get(load.field) or {}
        if newest := parse_timestamp(cursor.get("last_value")):
            return max(load.start, earlier(newest, load.lookback))
    return load.start
