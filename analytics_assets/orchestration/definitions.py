"""Dagster definitions of an API: assets, checks, schedules and sensors."""

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.contract import contract_of
from analytics_assets.orchestration.assets.definitions import build_assets, build_endpoints
from analytics_assets.orchestration.automation.freshness_sensor import build_freshness_sensors
from analytics_assets.orchestration.automation.new_data_sensor import build_sensor
from analytics_assets.orchestration.automation.schedules import build_schedules
from analytics_assets.orchestration.checks.definitions import build_checks
from analytics_assets.orchestration.runs.dead_runs import build_dead_run_sensor
from analytics_assets.orchestration.runs.waiting_runs import build_waiting_run_sensor
from analytics_assets.warehouse.warehouse import Warehouse


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
        >>> from analytics_assets.config.api import Api
        >>> config = {
        ...     "client": {"base_url": "https://shop.example.com"},
        ...     "resources": [{"name": "orders", "endpoint": {"path": "/v1/orders"}}],
        ... }
        >>> policies = {"orders": {"schedule": "30 6 * * *"}}
        >>> definitions = build_definitions(Api(name="shop", config=config, policies=policies))
        >>> definitions.resolve_schedule_def("shop_cron_30_6").cron_schedule
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
