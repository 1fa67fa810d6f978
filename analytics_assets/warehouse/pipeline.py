"""A dlt pipeline into a warehouse that other loads use at the same time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from dlt.common.pipeline import LoadInfo
from dlt.pipeline.helpers import retry_schema_update
from dlt.pipeline.pipeline import Pipeline
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random

from analytics_assets.warehouse.compat import SyncingPipeline
from analytics_assets.warehouse.destinations.client import is_warehouse_client
from analytics_assets.warehouse.evolution.dropped import describe, dropped, stored_tables
from analytics_assets.warehouse.evolution.layout_version import note_layout, refuse_newer_layout
from analytics_assets.warehouse.evolution.nullability import follow_constraints
from analytics_assets.warehouse.evolution.strategy import forget_strategies

MOST_ATTEMPTS = 5  # each can fail only because another load has just made a table
PAUSE = wait_random(0.05, 0.5)  # seconds


@dataclass(frozen=True)
class LoadHooks:
    """Functions that a pipeline calls around its use of the warehouse.

    Args:
        hold: opens the warehouse, before it is read or written, until `free` is called.
        free: closes the warehouse while the API is read.
        allowed: raises an error if the load must not write any more.
        limited: returns the context of a load.
        recover: takes the error of a load; returns True if another attempt makes sense.
        after_load: takes the pipeline after each load, in the context of `limited`.
        warn: takes a sentence for the log of the run.
    """

    hold: Callable[[], None] = lambda: None
    free: Callable[[], None] = lambda: None
    allowed: Callable[[], None] = lambda: None
    limited: Callable[[], AbstractContextManager[None]] = nullcontext
    recover: Callable[[Exception], bool] = lambda error: False
    after_load: Callable[[Pipeline], None] = lambda pipeline: None
    warn: Callable[[str], None] = lambda sentence: None


class LoadingPipeline(SyncingPipeline):
    """A dlt pipeline into a warehouse that other loads use at the same time.

    It holds the warehouse while it reads from it or writes to it, and not while it waits for the
    API. Loads that make the same schema or table in the same moment refuse each other; the retry is
    dlt's own advice: https://dlthub.com/docs/running-in-production/running
    """

    _hooks = LoadHooks()
    dropped: Mapping[str, Sequence[str]] = MappingProxyType({})
    """Tables and columns that the warehouse no longer had; see `evolution.dropped`."""
    notes: Mapping[str, Any] = MappingProxyType({})
    """Values to store in the state with the rows of the next load; see `note_layout`."""

    def connect_hooks(self, hooks: LoadHooks) -> None:
        """Call these hooks from now on; to be done once, before the first use of the warehouse.

        They are no argument of the constructor, as `Pipeline.drop` of dlt 1.31.0 calls that again
        with the arguments of its own class.

        Args:
            hooks: called around each use of the warehouse.
        """
        self._hooks = hooks

    @contextmanager
    def syncing(self) -> Iterator[None]:
        """Open the warehouse inside the context, and close it for the read of the API."""
        self._hooks.hold()
        try:
            yield
        finally:
            self._hooks.free()

    def synced(self) -> None:
        """Note what is missing in the warehouse, and let the entry give the strategy anew.

        Raises:
            NewerLayoutError: a later release has loaded the tables.
        """
        with self.managed_state() as state:
            refuse_newer_layout(state, f"{self.dataset_name}, {self.pipeline_name}")
            note_layout(cast(dict[str, Any], state), self.notes)
        found: dict[str, Sequence[str]] = {}
        for name in self.schema_names:
            forget_strategies(self.schemas[name])
            with self.destination_client(name) as client:
                if is_warehouse_client(client):
                    stored = stored_tables(client)
                    found |= dropped(client, stored)
                    follow_constraints(self.schemas[name], stored)
        self.dropped = found
        if found:
            self._hooks.warn(f"The warehouse no longer has {describe(found)}: created again.")

    def load(self, *args: Any, **kwargs: Any) -> LoadInfo:
        """Load the normalized packages; see dlt's method of this name."""
        retried = Retrying(
            retry=retry_if_exception(retry_schema_update()),
            stop=stop_after_attempt(MOST_ATTEMPTS),
            wait=PAUSE,
            reraise=True,
            before_sleep=lambda _: self._hooks.warn(
                "The schema or a table could not be made or changed, as when another load does the "
                "same in that moment: trying again."
            ),
        )
        self._hooks.hold()
        self._hooks.allowed()
        with self._hooks.limited():
            try:
                info = retried(super().load, *args, **kwargs)
            except Exception as error:
                if not self._hooks.recover(error):
                    raise
                info = retried(super().load, *args, **kwargs)
            self._hooks.after_load(self)
        return info
