"""The front door: Dagster's definitions, built from `api.py`."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from analytics_assets.api import API
from analytics_assets.assets import build_assets, build_endpoints
from analytics_assets.checks import build_checks
from analytics_assets.configuration import Api
from analytics_assets.contract import contract_of
from analytics_assets.dead_runs import build_dead_run_sensor
from analytics_assets.freshness import build_freshness_sensors
from analytics_assets.schedules import build_schedules
from analytics_assets.sensors import build_sensor
from analytics_assets.waiting_runs import build_waiting_run_sensor
from analytics_assets.warehouse import Warehouse


def build_definitions(api: Api) -> dg.Definitions:
    """Build all there is to an API: assets, checks, schedules and sensor.

    Args:
        api: the API as data.

    Returns:
        Definitions that load without a secret and without a network. A second API is a second
        call, joined by `dg.Definitions.merge`.

    Raises:
        ConfigurationError: an entry or a policy cannot be; the message names it and the mend.

    Example:
        >>> definitions = build_definitions(API)
        >>> definitions.resolve_schedule_def("analytics_cron_30_6").cron_schedule
        '30 6 * * *'
    """
    warehouse = Warehouse.from_settings()
    contracts = {resource: contract_of(api, resource) for resource in api.resources}
    # a DuckDB file takes one process at a time, so its assets are loaded one after the other in one
    executor = dg.in_process_executor if warehouse.is_duckdb else dg.multiprocess_executor
    return dg.Definitions(
        assets=[*build_endpoints(api, contracts), *build_assets(api, warehouse, contracts)],
        asset_checks=build_checks(api, warehouse, contracts),
        schedules=build_schedules(api),
        sensors=[
            build_sensor(api),
            build_dead_run_sensor(api),
            build_waiting_run_sensor(api),
            *build_freshness_sensors(api),
        ],
        executor=executor,
    )


@contextmanager
def built_for_good() -> Iterator[None]:
    """Keep what is built in this block, and all before it, out of the garbage collector's sight.

    It stays as long as the process does. To look through it again and again takes a fifth of the
    time in which 500 resources load, and 0.2 s before the first request of a run.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or DuckDB tells of leaks


with built_for_good():
    definitions = build_definitions(API)
