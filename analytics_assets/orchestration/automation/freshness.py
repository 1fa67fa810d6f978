"""The freshness of partitioned assets as time passes.

A freshness policy of Dagster 1.13 looks at the last materialization of any partition, so that a
backfill of last year would count as fresh. These assets have the check `newest_partition` instead.
"""

from datetime import datetime, timedelta

import dagster as dg

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.checks.names import NEWEST_PARTITION
from analytics_assets.orchestration.checks.partition_checks import check_newest_partition
from analytics_assets.orchestration.keys import asset_key

LONGEST_WAIT = timedelta(hours=1)  # for a run that is to evaluate the check; it may hang


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
    check = dg.AssetCheckKey(asset, NEWEST_PARTITION)
    last = instance.get_latest_asset_check_evaluation_record(check)
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
    return result.outside_a_run(asset, NEWEST_PARTITION)
