"""A range of partitions, loaded window by window, each told of as soon as it is done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.orchestration.metadata import (
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    PARTITION_ROW_COUNT,
)
from analytics_assets.orchestration.partitions.definition import in_words, ranges
from analytics_assets.orchestration.partitions.provenance import provenance_tags
from analytics_assets.orchestration.runs.priority import a_more_urgent_run_waits

PAUSE = 15  # seconds in which a run that waits for the pool can begin
# by which Dagster 1.13 leaves an output without a materialization of each partition of the run:
# they were all told of one by one, and would be so twice
TOLD_ALREADY = {"__source_asset_observation__": True}


class NoPartitionError(AnalyticsAssetsError):
    """A run does not say which partitions it is to load."""


class WindowLoaded(NamedTuple):
    """What came of one window.

    Args:
        metadata: what is told of the load.
        rows: the rows that the table holds of each partition.
    """

    metadata: Mapping[str, Any]
    rows: Mapping[str, int]


class Backfill:
    """Loads the partitions of a run, be it the few of a schedule or those of a year.

    They are cut into windows, each of which is one request for a span of time, one load, and one
    transaction. A window's partitions are materialized once it is in the table: they stay so
    when a later window fails, and a run that is tried again leaves them out.

    A run holds its place in the pool for as long as its step lasts. Where a more urgent run waits
    for that, as those of schedules do, the step ends after the window under way and asks to be
    tried again in a while: the place is free meanwhile. So a schedule waits for one window at
    most, and a backfill is still one run.

    Args:
        context: the run.
        asset: the asset that it materializes.
        load: which partitions the asset has, and how long a window may be.
        pool: the pool in which the step waits.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, asset: dg.AssetKey, load: Partitioned, pool: str
    ) -> None:
        self._context = context
        self._asset = asset
        self._load = load
        self._pool = pool
        self.window: Sequence[str] = ()
        """The partitions that are just being loaded."""

    def run(
        self, read: Callable[[Sequence[str]], WindowLoaded]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """Load all windows.

        Args:
            read: loads some partitions that follow on each other.

        Yields:
            The one output of the step.

        Raises:
            NoPartitionError: the run does not say which partitions to load.
            dagster.RetryRequested: another run goes first; this one is to go on afterwards.
        """
        due = self._due()
        windows = list(ranges(self._load, due, self._load.longest_window))
        for number, window in enumerate(windows):
            if number and a_more_urgent_run_waits(self._context.instance, self._pool, self._run):
                self._give_way(len(windows))
            self._context.log.info(f"Window {number + 1} of {len(windows)}: {in_words(window)}")
            self.window = window
            self._tell(read(window))
        yield dg.MaterializeResult(asset_key=self._asset, metadata=TOLD_ALREADY)

    @property
    def _run(self) -> dg.DagsterRun:
        return self._context.run

    def _due(self) -> list[str]:
        """Return the partitions that this run, and those that it carries on, have not loaded."""
        if not self._context.has_partition_key_range and not self._context.has_partition_key:
            raise NoPartitionError(
                f"{self._asset.to_user_string()} is loaded by partitions, and the run does not say "
                "which: choose them in the UI, or give the run the tags "
                "`dagster/asset_partition_range_start` and `dagster/asset_partition_range_end`."
            )
        done = self._materialized_by(self._run.run_id)
        before = self._run
        while before.is_resume_retry and before.parent_run_id:
            done |= self._materialized_by(before.parent_run_id)
            found = self._context.instance.get_run_by_id(before.parent_run_id)
            if found is None:
                break
            before = found
        return [key for key in self._context.partition_keys if key not in done]

    def _materialized_by(self, run_id: str) -> set[str]:
        records = self._context.instance.get_records_for_run(
            run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
        ).records
        events = [record.event_log_entry.dagster_event for record in records]
        return {
            event.partition
            for event in events
            if event and event.asset_key == self._asset and event.partition
        }

    def _give_way(self, windows_left: int) -> None:
        self._context.log.info(
            f"A run of a schedule waits for the pool {self._pool!r}. What is loaded stays; this "
            f"run goes on in {PAUSE} seconds."
        )
        # each attempt loads a window, and so there are as many as windows at most
        most = self._context.retry_number + windows_left
        raise dg.RetryRequested(max_retries=most, seconds_to_wait=PAUSE)

    def _tell(self, loaded: WindowLoaded) -> None:
        """Materialize each partition of the window."""
        told = {**loaded.metadata, "window": in_words(self.window)}
        # as long as all else together, and alike in all
        brief = {name: told[name] for name in told if name not in (COLUMN_SCHEMA, COLUMN_LINEAGE)}
        tags = provenance_tags(self._context.assets_def.get_asset_spec(self._asset))
        for key in self.window:
            metadata = told if key == self.window[-1] else brief
            self._context.log_event(
                dg.AssetMaterialization(
                    self._asset,
                    partition=key,
                    metadata={**metadata, PARTITION_ROW_COUNT: loaded.rows[key]},
                    tags=tags,
                )
            )
        self.window = ()
