"""Run tags: partition ranges, and the priority of scheduled runs over backfills."""

from collections.abc import Mapping, Sequence

# Dagster 1.13 takes a run with both tags for one over a range of partitions
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
# orders the run queue, and steps that wait for a slot of a pool
PRIORITY = "dagster/priority"
BEFORE_BACKFILLS: Mapping[str, str] = {PRIORITY: "1"}


def range_tags(keys: Sequence[str]) -> Mapping[str, str]:
    """Return the tags of a run over consecutive partitions."""
    return {RANGE_START: keys[0], RANGE_END: keys[-1]}
