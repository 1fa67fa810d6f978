"""Dagster definitions of an API: assets, checks, schedules, sensors, and the resource `dlt`."""

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resources_of
from analytics_assets.orchestration.assets.definitions import build_assets
from analytics_assets.orchestration.assets.dlt_resource import DltLoader
from analytics_assets.orchestration.assets.endpoints import build_endpoints
from analytics_assets.orchestration.automation.check_schedules import build_check_schedules
from analytics_assets.orchestration.automation.new_data.sensor import build_new_data_sensors
from analytics_assets.orchestration.automation.schedules import build_schedules
from analytics_assets.orchestration.checks.definitions import build_checks
from analytics_assets.orchestration.load_health.asset import build_load_health
from analytics_assets.orchestration.runs.executor.setting import executor_from_settings
from analytics_assets.orchestration.runs.liveness.executor import leased
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.warehouse.destinations.capabilities import refuse_unsupported
from analytics_assets.warehouse.warehouse import Warehouse

# one object for all APIs: Dagster merges definitions only if their resources are the same objects
DLT = DltLoader()


@errors_redacted()
def build_definitions(api: Api, executor: dg.ExecutorDefinition | None = None) -> dg.Definitions:
    """Build the definitions of an API.

    Args:
        api: the API.
        executor: runs the steps of its runs; all APIs of a project need the same object, which
            Dagster merges definitions by. None for the one of the setting `executor`.

    Returns:
        Definitions that load without a secret and without a network. Those of several APIs can be
        merged; `project_sensors` makes the sensors that all of them share.

    Raises:
        ConfigurationError: an entry or a policy is invalid; the message names it and what to
            change.
        SettingsError: the setting `executor` cannot be used.

    Example:
        >>> config = {
        ...     "client": {"base_url": "https://shop.example.com"},
        ...     "resources": [{"name": "orders", "endpoint": {"path": "/v1/orders"}}],
        ... }
        >>> policies = {"orders": {"schedule": "30 6 * * *"}}
        >>> definitions = build_definitions(Api(name="shop", config=config, policies=policies))
        >>> definitions.resolve_schedule_def("shop_daily").cron_schedule
        '30 6 * * *'
    """
    warehouse = Warehouse.from_settings(api.name)
    resources = resources_of(api)
    loaded = list(resources.values())
    refuse_unsupported(warehouse.destination_type, warehouse.destination, loaded)
    checks = build_checks(resources, warehouse)
    schedules = build_schedules(api, loaded)
    executor = leased(executor or executor_from_settings(is_duckdb=warehouse.is_duckdb))
    return dg.Definitions(
        assets=[
            *build_endpoints(api, resources),
            *build_assets(api, resources, warehouse, [list(each.check_keys) for each in checks]),
            build_load_health(api, resources, warehouse),
        ],
        asset_checks=checks,
        schedules=[*schedules, *build_check_schedules(api, loaded, schedules)],
        sensors=build_new_data_sensors(api, resources),
        resources={"dlt": DLT},
        executor=executor,
    )
