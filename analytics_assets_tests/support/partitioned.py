"""Partitioned resources: APIs of them, and runs over some of their days."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.load import Load, Partitioned
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import (
    partitioned,
    partitions_until,
    ranges,
)
from analytics_assets.orchestration.runs.materializations import plain_metadata
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.loading import load


def api_by_day(resource: str, **parts: Any) -> Api:
    """The analytics API with one of its resources alone, loaded by days."""
    return api_of(resource, Partitioned(**{"start": FIRST_DAY, "longest_window": 15, **parts}))


def api_of(resource: str, how: Load, **policy: Any) -> Api:
    """The analytics API with one of its resources alone, loaded in some way."""
    config = {**API.config, "resources": [API.resources[resource].entry]}
    return Api(
        name=API.name,
        config=config,
        openapi=API.openapi,
        policies={resource: {"load": how, **policy}},  # type: ignore[typeddict-item]
    )


def days_of(api: Api, today: date = TODAY) -> list[str]:
    """Return the partitions that are over on a day."""
    how = api.resources[next(iter(api.resources))].policy.load
    assert isinstance(how, Partitioned), "else there are none"
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    return list(partitions_until(how, midnight))


def load_days(
    instance: dg.DagsterInstance,
    api: Api,
    *days: str,
    tags: Mapping[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    """Load consecutive days, or all of them, in a run per window as Dagster cuts a backfill.

    Returns:
        The first run that fails, after which none is started, or the last one.
    """
    [resource] = api.resources.values()
    for window in ranges(
        partitioned(resource), days or days_of(api), partitioned(resource).longest_window
    ):
        result = load(
            instance,
            resource.name,
            api=api,
            tags={**range_tags(window), **(tags or {})},
            config=config,
        )
        if not result.success:
            break
    return result


def metadata_by_day(instance: dg.DagsterInstance, api: Api) -> dict[str, dict[str, Any]]:
    """Return the metadata of each day's last materialization as plain values."""
    records = instance.fetch_materializations(
        asset_key(api.resources[next(iter(api.resources))]), limit=1000, ascending=True
    ).records
    return {
        str(event.partition): plain_metadata(event)
        for event in (record.asset_materialization for record in records)
        if event
    }
