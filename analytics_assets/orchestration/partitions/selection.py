"""The partitions that a run loads."""

from collections.abc import Sequence

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig


class PartitionSelectionError(AnalyticsAssetsError):
    """A run selects no partition, or more than `longest_window`."""


def selected_partitions(
    context: dg.AssetExecutionContext, resource: ResourceConfig
) -> Sequence[str]:
    """Return the partitions of a run, oldest first; empty for a resource without partitions.

    They are one window: one request for a span of time, one load and one transaction. Dagster cuts
    backfills into such runs.

    Args:
        context: the run.
        resource: the resource to load.

    Raises:
        PartitionSelectionError: the run selects none, or more than `longest_window`.
    """
    load = resource.policy.load
    if not isinstance(load, Partitioned):
        return ()
    if not context.has_partition_key_range and not context.has_partition_key:
        raise PartitionSelectionError(
            f"{resource.name} is loaded by partitions, and the run selects none: choose them in "
            "the UI, or give the run the tags `dagster/asset_partition_range_start` and "
            "`dagster/asset_partition_range_end`. Nothing was touched."
        )
    keys: Sequence[str] = context.partition_keys
    if len(keys) > load.longest_window:
        raise PartitionSelectionError(
            f"The run selects {len(keys)} partitions, and `longest_window` is "
            f"{load.longest_window}: launch a backfill, which Dagster cuts into windows, or raise "
            "`longest_window` in the resource's policy. Nothing was touched."
        )
    return keys
