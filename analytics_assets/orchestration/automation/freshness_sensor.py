"""The sensor that reports the freshness of partitioned assets as time passes.

A freshness policy of Dagster 1.13 looks at the last materialization of any partition, so that a
backfill of last year would count as fresh. These assets have the check `newest_partition` instead.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.checks.partition_checks import check_newest_partition
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.redaction.errors import errors_redacted

INTERVAL = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)  # for a run that is to evaluate the check; it may hang
CHECK = "newest_partition"


def build_freshness_sensors(
    api_name: str, resources: Sequence[ResourceConfig]
) -> list[dg.SensorDefinition]:
    """Build the sensor that evaluates `newest_partition` when its result changes; on by default.

    Args:
        api_name: the prefix of the sensor's name.
        resources: the resources of the API.

    Returns:
        The sensor; none if no resource is partitioned.
    """
    watched = [each for each in resources if isinstance(each.policy.load, Partitioned)]
    if not watched:
        return []

    @dg.sensor(
        name=f"{api_name}_freshness",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Fails the check {CHECK} when no load has brought the partition that is due.",
    )
    @errors_redacted()
    def freshness(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        found = [changed_freshness(context.instance, resource, now) for resource in watched]
        changes = [change for change in found if change]
        return dg.SensorResult(
            asset_events=changes,
            skip_reason=None if changes else "No asset became stale or fresh.",
        )

    return [freshness]


def changed_freshness(
    instance: dg.DagsterInstance, resource: ResourceConfig, now: datetime
) -> dg.AssetCheckEvaluation | None:
    """Return the freshness of a table if it differs from the last result of its check.

    Args:
        instance: holds the event log.
        resource: a partitioned resource.
        now: the moment.

    Returns:
        The evaluation; None if nothing changed, if there is no load yet, or if a run requested
        less than an hour ago is about to evaluate the check.
    """
    asset = asset_key(resource)
    if not instance.get_materialized_partitions(asset):
        return None
    last = instance.get_latest_asset_check_evaluation_record(dg.AssetCheckKey(asset, CHECK))
    evaluation = last.evaluation if last else None
    if last and not isinstance(evaluation, dg.AssetCheckEvaluation):
        run = instance.get_run_by_id(last.run_id)
        waited = now.timestamp() - last.create_timestamp
        if run and not run.is_finished and waited < LONGEST_WAIT.total_seconds():
            return None
        evaluation = None
    result = check_newest_partition(instance, resource, now)
    if evaluation and evaluation.passed == result.passed:
        return None
    return result.outside_a_run(asset, CHECK)
