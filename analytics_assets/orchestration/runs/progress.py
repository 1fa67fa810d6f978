"""The progress of a load: a value to look at, and lines in the log of its run."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Thread
from time import monotonic
from typing import Any

from dlt.common.pipeline import NormalizeInfo
from dlt.common.runtime.collector import NullCollector

from analytics_assets.config.settings.look_up import endpoint_url
from analytics_assets.config.text.quantities import count, duration, number
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.orchestration.metadata.names import (
    NEWEST_DATA,
    ROW_COUNT,
    ROWS_REJECTED,
    TABLE_NAME,
)
from analytics_assets.orchestration.runs.tags import range_name
from analytics_assets.warehouse.evolution.comparison import Comparison

LOG_PERIOD = 30.0  # seconds between two lines about a stage that lasts
STARTING, ENDED, FAILED = "starting", "ended", "failed"
# the steps of dlt, as the verb of a sentence and as a participle
ACTIVE = {"sync": "restoring the state", "extract": "extracting", "normalize": "normalizing"}
ACTIVE |= {"load": "loading"}
DONE = {"extract": "extracted", "normalize": "normalized", "load": "loaded"}

Watch = Callable[["LoadProgress"], None]
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


class LoadProgress:
    """The progress of one load, which the load updates and others look at.

    Args:
        resource: the resource.
        connection: sends its requests, and counts them.
        partitions: the partitions of the load; empty if the resource has none.
    """

    def __init__(
        self,
        resource: Resource,
        connection: Connection,
        partitions: Sequence[str] = (),
    ) -> None:
        self.resource, self.partitions = resource, partitions
        window = f" {range_name(partitions)}" if partitions else ""
        self.subject = f"{resource.name}{window}"
        self.connection = connection
        self.holder = ""
        self._read = connection.traffic.read_of(resource.name)
        self._stage, self.begun_at = STARTING, monotonic()
        self._stage_began_at = self.begun_at
        self._rows_normalized = 0

    @property
    def stage(self) -> str:
        """The step of dlt that is under way, `STARTING` before it, `ENDED` or `FAILED` after it."""
        return self._stage

    @property
    def has_ended(self) -> bool:
        """True if the load has succeeded or failed."""
        return self._stage in (ENDED, FAILED)

    def begin(self, stage: str) -> None:
        """Begin a step of dlt, or end the load."""
        self._stage, self._stage_began_at = stage, monotonic()

    def wait_for(self, holder: str) -> None:
        """Note who holds the table, or the DuckDB file; nobody any more if empty."""
        self.holder = holder

    def normalized(self, rows: int) -> None:
        """Note the rows that will be in the table."""
        self._rows_normalized = rows

    @property
    def seconds(self) -> float:
        """Seconds since the begin of the load, up to its end."""
        return (self._stage_began_at if self.has_ended else monotonic()) - self.begun_at

    @property
    def rows(self) -> int:
        """Rows of the resource: loaded ones, or those that have arrived so far."""
        return self._rows_normalized or self._read.rows

    @property
    def expected(self) -> int:
        """Rows that the API says it has; 0 if it does not."""
        return self._read.expected

    @property
    def pages(self) -> int:
        """Pages that have arrived, also those of parent resources."""
        return sum(read.pages for read in list(self.connection.traffic.reads.values()))

    @property
    def void_passes(self) -> int:
        """Passes whose rows were dropped, as the API's rows changed meanwhile."""
        return self._read.void_passes

    @property
    def waits_for(self) -> str:
        """Whoever or whatever keeps the load waiting, as a noun; empty if it works."""
        if self.holder:
            return self.holder
        return self.connection.waits_for if self._stage == "extract" else ""

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.resource.name

    @property
    def amount(self) -> str:
        """The rows and pages so far, such as "400 of 12,400 rows, 4 pages"."""
        rows = count(self.rows, "row")
        if self.rows < self.expected:
            rows = f"{number(self.rows)} of {count(self.expected, 'row')}"
        return f"{rows}, {count(self.pages, 'page')}" if self.pages else rows

    def sentence(self) -> str:
        """Return the stage with its numbers, such as "orders: extracting for 30 s: 400 rows"."""
        if self.holder:
            return f"{self.name}: waiting for {self.holder}"
        stage = ACTIVE.get(self._stage, self._stage)
        text = f"{self.name}: {stage} for {duration(monotonic() - self._stage_began_at)}"
        text += f": {self.amount}"
        if self.void_passes and self._stage == "extract":
            text += f"; pass {self.void_passes + 1}, as rows changed in the one before"
        return text + (f"; waiting for {self.waits_for}" if self.waits_for else "")


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Look at the loads that this thread runs inside the context.

    Args:
        watch: takes the progress of each load when it begins.
    """
    before = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(before)


def show(progress: LoadProgress) -> None:
    """Show the progress of a load to whoever looks at the loads of this thread."""
    if watch := _watch.get():
        watch(progress)


class StageLog(NullCollector):
    """Collects the stages of a dlt pipeline, by dlt's own interface for progress.

    https://dlthub.com/docs/general-usage/pipeline#monitor-the-loading-progress

    Args:
        progress: that of the load, which is updated.
        place: the table with its dataset.
        log: for a line per stage.
    """

    def __init__(self, progress: LoadProgress, place: str, log: logging.Logger) -> None:
        self._progress, self._place, self._log = progress, place, log

    def on_start_trace_step(self, trace: Any, step: Any, pipeline: Any) -> None:
        """Begin a stage."""
        if step in ACTIVE:
            self._progress.begin(step)

    def on_end_trace_step(
        self, trace: Any, step: Any, pipeline: Any, step_info: Any, send_state: bool
    ) -> None:
        """Log a stage with its numbers, also of one that has failed."""
        if step.step not in DONE:
            return
        progress = self._progress
        if isinstance(step_info, NormalizeInfo):
            progress.normalized(step_info.row_counts.get(progress.resource.table, 0))
        lasted = duration((step.finished_at - step.started_at).total_seconds())
        if step.step_exception:
            self._log.info(
                f"{progress.name}: failed while {ACTIVE[step.step]}, after {lasted} and "
                f"{progress.amount}"
            )
            return
        text = f"{progress.name}: {DONE[step.step]} {count(progress.rows, 'row')}"
        if step.step == "extract":
            text += f" of {count(progress.pages, 'page')}" if progress.pages else ""
            text += f" in {lasted}{_repetitions(progress)}"
        else:
            text += f" into {self._place}" if step.step == "load" else ""
            text += f" in {lasted}"
        self._log.info(text)


def _repetitions(progress: LoadProgress) -> str:
    """Return what had to be done again during a read, as the end of a sentence."""
    traffic, found = progress.connection.traffic, list[str]()
    if traffic.retries:
        waited = duration(traffic.seconds_backing_off)
        found.append(f"{count(traffic.retries, 'request')} sent again, {waited} of pauses")
    if progress.void_passes:
        found.append(f"{count(progress.void_passes + 1, 'pass', 'passes')}, as rows changed")
    return f" ({'; '.join(found)})" if found else ""


@contextmanager
def logged(
    progress: LoadProgress, log: logging.Logger, period: float = LOG_PERIOD
) -> Iterator[None]:
    """Log the progress every so often inside the context, and end it.

    Args:
        progress: that of the load.
        log: the log of the run.
        period: seconds between two lines.
    """
    left = Event()

    def report() -> None:
        while not left.wait(period):
            log.info(progress.sentence())

    thread = Thread(target=report, name=f"progress of {progress.name}", daemon=True)
    thread.start()
    outcome = FAILED
    try:
        yield
        outcome = ENDED
    finally:
        left.set()
        thread.join()
        progress.begin(outcome)


def log_source(progress: LoadProgress, log: logging.Logger) -> None:
    """Log what is about to be read.

    Args:
        progress: that of the load.
        log: the log of the run.
    """
    resource, settings = progress.resource, progress.connection.settings
    if settings.embedded:
        place = (
            "the embedded API, as no `base_url` is set: its page views are real Wikipedia counts "
            "with moved dates, its other rows are synthetic"
        )
    else:
        place = endpoint_url(settings.base_url, resource.shown_path)
    days = f" ({count(len(progress.partitions), 'partition')})" if progress.partitions else ""
    log.info(f"{progress.subject}{days}: reading from {place}")


def log_columns(progress: LoadProgress, compared: Comparison, log: logging.Logger) -> None:
    """Log the columns that the table has in another type than declared.

    Args:
        progress: that of the load.
        compared: the resource's contract held against the table.
        log: the log of the run.
    """
    name = progress.name
    for column, types in compared.widened.items():
        log.info(f"{name}: the column `{column}` will be widened with the rows: {types}")
    for column, place in compared.kept.items():
        log.warning(f"{name}: the column `{column}` {place}")


def log_table(progress: LoadProgress, metadata: Mapping[str, Any], log: logging.Logger) -> None:
    """Log the rows of the table after a load, and those that are not in it.

    Args:
        progress: that of the load.
        metadata: that of the load.
        log: the log of the run.
    """
    rows = count(metadata[ROW_COUNT], "row")
    text = f"{progress.subject}: {metadata[TABLE_NAME]} has {rows}"
    if metadata.get(NEWEST_DATA):
        text += f", the newest of {metadata[NEWEST_DATA]}"
    log.info(f"{text}; the load took {duration(progress.seconds)}")
    if rejected := metadata[ROWS_REJECTED]:
        log.warning(
            f"{progress.name}: {count(rejected, 'row')} broke the contract and went to "
            f"`rejected_rows`; `analytics-assets rejected {progress.resource.full_name}` lists them"
        )
