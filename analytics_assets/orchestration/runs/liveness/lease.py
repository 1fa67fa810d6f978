"""Leases: the process of a run, or of a step in a process of its own, is alive.

A process renews its leases every few seconds in Dagster's run storage, all of them by one
statement. A lease that is not renewed any more is one of a dead process, on whatever machine: see
`dead_runs`. Whoever ends a run, or a step, takes its lease first; a process that was stopped for so
long, as a laptop that slept, finds its lease taken and does not write into a table any more.
"""

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import NamedTuple
from uuid import uuid4

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.orchestration.runs.liveness.compat import PREFIX, LeaseTable
from analytics_assets.orchestration.runs.liveness.machine import start_of, this_machine
from analytics_assets.orchestration.runs.tags import record_tags

RENEWED_EVERY = 15.0  # seconds
LOG = logging.getLogger(__name__)
Watcher = Callable[[AnalyticsAssetsError], None]


class LeaseLostError(AnalyticsAssetsError):
    """Another process has ended the run, or the step, of this one."""


class LeaseKey(NamedTuple):
    """A run, or a step of it, that a process executes.

    Args:
        run_id: the run.
        step: the key of the step; empty for the run itself.
    """

    run_id: str
    step: str = ""

    def __str__(self) -> str:
        """Return the key by which it is stored."""
        return f"{PREFIX}{self.run_id}/{self.step}"

    @classmethod
    def of(cls, stored: str) -> "LeaseKey":
        """Return the key that is stored as a text."""
        run_id, _, step = stored.removeprefix(PREFIX).partition("/")
        return cls(run_id, step)


class Holder(NamedTuple):
    """The process that holds a lease.

    Args:
        machine: its machine.
        host: the name of its host.
        process: its number there.
        start: its start, by the count of its machine.
    """

    machine: str
    host: str
    process: int
    start: str

    @classmethod
    def of(cls, value: str) -> "Holder | None":
        """Return the holder in the value of a lease; None if somebody ends the run."""
        stored = json.loads(value.partition(" ")[2] or "null")
        return cls(*stored) if stored else None

    def __str__(self) -> str:
        """Return the process in a sentence."""
        return f"process {self.process} on {self.host}"


class Lease:
    """A lease of this process; of an instance without a place for leases, it is never lost.

    Args:
        key: the run or step.
        table: the leases of the instance.
        holder: the beginning of its value.
        watchers: called with the error once it is lost, in each renewal from then on.
    """

    def __init__(
        self, key: LeaseKey, table: LeaseTable, holder: str, watchers: list[Watcher]
    ) -> None:
        self.key, self._table, self._holder = key, table, holder
        self._watchers = watchers

    def refuse_lost(self) -> None:
        """Stop a process that was taken for dead.

        Raises:
            LeaseLostError: the lease was not renewed in time, and another process has taken it.
        """
        if self._table.exists and not self._table.held([str(self.key)], self._holder):
            raise _lost(self.key)

    @contextmanager
    def watched(self, watcher: Watcher) -> Iterator[None]:
        """Call a function if the lease is lost inside the context, from another thread.

        Args:
            watcher: takes the error; called again with each renewal.
        """
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)


def _lost(key: LeaseKey) -> LeaseLostError:
    subject = f"Step {key.step} of run" if key.step else "Run"
    return LeaseLostError(
        f"{subject} {key.run_id} was ended by another process: the run was terminated, or its own "
        "process is gone, or this one did not answer for a minute, as its machine was asleep, "
        "stopped, or cut off from Dagster's database. The table is as it was; start another run."
    )


class LeaseKeeper:
    """Renews the leases of this process in one run storage, in a thread while there are any.

    Args:
        interval: seconds between two renewals.
    """

    def __init__(self, interval: float = RENEWED_EVERY) -> None:
        self._interval = interval
        self._lock, self._wake = Lock(), Event()
        self._tables: dict[str, LeaseTable] = {}
        self._watchers = dict[str, list[Watcher]]()
        self._name, self._count = uuid4().hex, 0
        self._process = os.getpid()
        holder = Holder(this_machine(), socket.gethostname(), os.getpid(), start_of(os.getpid()))
        self._details = json.dumps(holder)

    @property
    def is_inherited(self) -> bool:
        """True in a process that was forked from the one of the keeper."""
        return self._process != os.getpid()

    def holds(self, key: LeaseKey) -> bool:
        """Return True if a lease is held by this process."""
        return str(key) in self._tables

    def lease(self, key: LeaseKey, table: LeaseTable) -> Lease:
        """Return a lease of this process."""
        return Lease(key, table, self._name, self._watchers.get(str(key), []))

    def hold(self, key: LeaseKey, table: LeaseTable) -> None:
        """Store a lease, and renew it from now on."""
        with self._lock:
            table.write(str(key), self._value)
            self._tables[str(key)], self._watchers[str(key)] = table, []
            if len(self._tables) == 1:
                self._wake = Event()
                arguments = (self._wake,)
                Thread(target=self._renew, args=arguments, name="leases", daemon=True).start()

    def free(self, key: LeaseKey) -> None:
        """Remove a lease, unless another process has it by now."""
        with self._lock:
            table = self._tables.pop(str(key))
            del self._watchers[str(key)]
            if not self._tables:
                self._wake.set()
        try:
            table.remove([str(key)], self._name)
        except Exception:  # the run has ended, as the history shows; the sensor removes it
            LOG.warning("The lease of run %s stays until it expires.", key.run_id, exc_info=True)

    @property
    def _value(self) -> str:
        return f"{self._name}.{self._count} {self._details}"

    def _renew(self, left: Event) -> None:
        while not left.wait(self._interval):
            self.renew()

    def renew(self) -> int:
        """Renew all leases that no other process has taken; return their number."""
        with self._lock:
            if not (tables := dict(self._tables)):
                return 0
            table = next(reversed(tables.values()))  # of the newest instance, which is open still
            self._count += 1
            try:
                renewed = table.renew(list(tables), self._name, self._value)
                if renewed < len(tables):
                    for key in tables.keys() - table.held(list(tables), self._name):
                        for watcher in list(self._watchers[key]):
                            watcher(_lost(LeaseKey.of(key)))
                return renewed
            except Exception:  # the database does not answer
                LOG.warning("Leases were not renewed; trying again.", exc_info=True)
                return 0


_keepers: dict[str, LeaseKeeper] = {}
_keepers_lock = Lock()


def _keeper_of(table: LeaseTable) -> LeaseKeeper:
    """Return the keeper of this process for a run storage."""
    with _keepers_lock:
        keeper = _keepers.get(table.place)
        if keeper is None or keeper.is_inherited:
            keeper = _keepers[table.place] = LeaseKeeper()
        return keeper


@contextmanager
def run_lease(instance: dg.DagsterInstance, run_id: str) -> Iterator[Lease]:
    """Keep the lease of a run inside the context, in the process that executes the run.

    Args:
        instance: holds the run.
        run_id: the run.
    """
    with _held(instance, LeaseKey(run_id)) as lease:
        yield lease


@contextmanager
def step_lease(instance: dg.DagsterInstance, run_id: str, step: str) -> Iterator[Lease]:
    """Keep the lease of a step inside the context, unless this process holds that of its run.

    Args:
        instance: holds the run.
        run_id: the run.
        step: the key of the step.
    """
    table = LeaseTable(instance)
    of_run = LeaseKey(run_id)
    keeper = _keeper_of(table)
    if keeper.holds(of_run):
        yield keeper.lease(of_run, table)
        return
    with _held(instance, LeaseKey(run_id, step)) as lease:
        yield lease


@contextmanager
def executing(context: dg.AssetExecutionContext | dg.OpExecutionContext) -> Iterator[Lease]:
    """Keep the lease of an op's step inside the context, and record the tags of its run.

    Args:
        context: that of the op.
    """
    record_tags(context.instance, context.run)
    step = context.get_step_execution_context().step.key
    with step_lease(context.instance, context.run.run_id, step) as lease:
        yield lease


@contextmanager
def _held(instance: dg.DagsterInstance, key: LeaseKey) -> Iterator[Lease]:
    table = LeaseTable(instance)
    keeper = _keeper_of(table)
    if not table.exists or keeper.holds(key):  # by a context around this one
        yield keeper.lease(key, table)
        return
    keeper.hold(key, table)
    try:
        yield keeper.lease(key, table)
    finally:
        keeper.free(key)
