"""Whether assets by partitions are fresh: told as time passes, also while nothing is loaded.

A freshness policy of Dagster 1.13 looks at the last materialization, of whatever partition: by it,
a backfill of last year would be news. So these assets have the check `newest_partition` instead.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.orchestration.checks.partition_checks import check_newest_partition
from analytics_assets.orchestration.keys import asset_key

INTERVAL = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)  # for a run that is to make the check, as it may hang or queue
CHECK = "newest_partition"


def build_freshness_sensors(api: Api) -> list[dg.SensorDefinition]:
    """Make the sensor that turns `newest_partition` red, or green again; it is on from the start.

    Args:
        api: the API.

    Returns:
        The sensor; none if no resource is loaded by partitions.
    """
    watched = [name for name in api.resources if isinstance(api.policy(name).load, Partitioned)]
    if not watched:
        return []

    @dg.sensor(
        name=f"{api.name}_freshness",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Turns the check {CHECK} red when no load has brought what is due.",
    )
    def freshness(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        found = [what_has_changed(context.instance, api, resource, now) for resource in watched]
        changes = [change for change in found if change]
        return dg.SensorResult(
            asset_events=changes,
            skip_reason=None if changes else "Nothing has become stale, or fresh again.",
        )

    return [freshness]


def what_has_changed(
    instance: dg.DagsterInstance, api: Api, resource: str, now: datetime
) -> dg.AssetCheckEvaluation | None:
    """Look whether a table is fresh, if that is not what its check has said last.

    Args:
        instance: what remembers the loads, and what the check has said.
        api: the API.
        resource: a resource that is loaded by partitions.
        now: the moment.

    Returns:
        What the check says now; None if that is no news, if there is no load yet, or if a run that
        was asked for less than an hour ago is about to say it.
    """
    asset = asset_key(api, resource)
    if not instance.get_materialized_partitions(asset):
        return None
    last = instance.get_latest_asset_check_evaluation_record(dg.AssetCheckKey(asset, CHECK))
    said = last.evaluation if last else None
    if last and not isinstance(said, dg.AssetCheckEvaluation):
        run = instance.get_run_by_id(last.run_id)
        waited = now.timestamp() - last.create_timestamp
        if run and not run.is_finished and waited < LONGEST_WAIT.total_seconds():
            return None
        said = None
    verdict = check_newest_partition(instance, asset, api.policy(resource), now)
    if said and said.passed == verdict.passed:
        return None
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=CHECK,
        passed=verdict.passed,
        severity=verdict.severity,
        description=verdict.text,
    )
