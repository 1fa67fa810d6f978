"""Settings of the warehouse, looked up with dlt's own providers.

`destination_type` and `dataset_name` choose it, `destination.<type>.credentials` are its
credentials (https://dlthub.com/docs/dlt-ecosystem/destinations).
"""

from typing import Any

from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.warehouse.errors import WarehouseError


@configspec
class WarehouseSettings(BaseConfiguration):
    """dlt's own pipeline settings, and those of locks and of the history of loads.

    Args:
        destination_type: a dlt destination: `duckdb`, `postgres`, `snowflake`, ...
        dataset_name: the schema (dataset) that holds the tables.
        pipelines_dir: the folder of runs' working files; dlt's own if not set.
        lock_patience: seconds that a run waits for a table, or a DuckDB file, which a process
            holds that is no run of the same Dagster instance.
        history_days: days for which rejected rows, and dlt's records of loads, are kept; 0 is for
            ever.
    """

    destination_type: str = "duckdb"
    dataset_name: str = "analytics"
    pipelines_dir: str | None = None
    lock_patience: float = 3600
    history_days: int = 90


def warehouse_settings() -> WarehouseSettings:
    """Look the settings up.

    Raises:
        WarehouseError: a value is no number, or is negative.
    """
    try:
        settings = resolve_configuration(WarehouseSettings())
    except ConfigValueCannotBeCoercedException as error:
        raise _not_a_number(error.field_name, error.field_value) from error
    for name in ("lock_patience", "history_days"):
        if getattr(settings, name) < 0:
            raise _not_a_number(name, getattr(settings, name))
    return settings


def _not_a_number(setting: str, value: Any) -> WarehouseError:
    return WarehouseError(
        f"The setting `{setting}` cannot be {value!r}: give a number that is not negative."
    )
