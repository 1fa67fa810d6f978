"""Observations of endpoints within the process, and their results."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import endpoint_key
from analytics_assets_tests.conftest import TODAY


def observe(
    instance: dg.DagsterInstance, *resources: str, api: Api = API
) -> dg.ExecuteInProcessResult:
    """Observe the endpoints of some resources, or of all, in this process."""
    job = build_definitions(api).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[endpoint_key(api.resources[name]) for name in resources or api.resources],
        raise_on_error=False,
    )


def observed(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """Return the metadata of the observations of endpoints, by resource."""
    return {
        event.asset_key.path[-1]: {
            name: value.value
            for name, value in event.asset_observation_data.asset_observation.metadata.items()
        }
        for event in result.all_events
        if event.is_asset_observation and event.asset_key
    }


def checked(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """Return the results of the checks of endpoints, by resource."""
    return {each.asset_key.path[-1]: each for each in result.get_asset_check_evaluations()}


def results_of(
    instance: dg.DagsterInstance, endpoint: dg.AssetKey
) -> list[dg.AssetCheckEvaluation]:
    """Return the results of the check of an endpoint, the newest first."""
    history = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(endpoint, "reachable"), limit=9
    )
    return [each.evaluation for each in history if each.evaluation]


def midnight() -> float:
    """The time of the newest change of the embedded API."""
    return datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC).timestamp()
