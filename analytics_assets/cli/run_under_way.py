"""The run of a command, which ends with the command: by Ctrl-C, SIGTERM or a wait too long."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread, current_thread
from uuid import uuid4

import dagster as dg

from analytics_assets.cli.pool_wait import PoolWait
from analytics_assets.orchestration.runs.check_results import keep_last_results, planned_checks
from analytics_assets.orchestration.runs.pools import pools_of

GRACE = 8.0  # seconds to record the end; `docker stop` kills after 10, Kubernetes after 30
PAUSE = 0.2  # seconds between two looks at the slots of the run


class RunUnderWay:
    """The run of a command, whose steps are in a thread.

    Args:
        instance: records it.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.run_id = ""  # before the first one
        self._wait = PoolWait(instance)
        self._lock = Lock()
        self._recording: Thread | None = None

    @contextmanager
    def next_run(self) -> Iterator[str]:
        """Begin the next run; once the command ends, its thread stops at its next event.

        Yields:
            The id.
        """
        with self._lock:
            self._stop_if_ending()
            self.run_id = str(uuid4())
        self.instance.add_event_listener(self.run_id, self._stop_if_ending)
        yield self.run_id
        self._stop_if_ending()

    def _stop_if_ending(self, *_: object) -> None:
        """Stop this thread if another one records the end: it would record what happens to it."""
        if self._recording not in (None, current_thread()):
            Event().wait()  # the process exits as soon as the end is recorded

    def check(self) -> None:
        """Look, once in a while, whether the run waits too long for others.

        Raises:
            WarehouseLockedError: it does.
        """
        if self.run_id:
            self._wait.check(self.run_id)

    def cancel(self, reason: str) -> None:
        """Record the end of the run, and free its slots in pools; the process ends afterwards.

        Its table is as it was: each load changes it in one transaction.

        Args:
            reason: a sentence for the history.
        """
        recording = Thread(target=self._cancel, args=(reason,), daemon=True)
        recording.start()
        recording.join(GRACE)  # the history may be the part that does not answer

    def _cancel(self, reason: str) -> None:
        with self._lock:
            self._recording = current_thread()
        with suppress(Exception):  # then the next command ends the run, as that of a killed process
            instance, until, is_canceled = self.instance, time.monotonic() + GRACE / 2, False
            while self.run_id and time.monotonic() < until:
                run = instance.get_run_by_id(self.run_id)
                if run and run.is_finished:
                    if not (is_canceled and self._free_slots()):
                        break
                elif run:  # also once more, after the event that its thread was about to record
                    instance.report_run_canceled(run, reason)
                    is_canceled = True
                time.sleep(PAUSE)
            if is_canceled:
                planned = planned_checks(instance, self.run_id)
                keep_last_results(instance, self.run_id, planned, until)

    def _free_slots(self) -> bool:
        """Free the slots of the run; return True if its thread may have claimed one meanwhile."""
        storage = self.instance.event_log_storage
        pools = [storage.get_concurrency_info(pool) for pool in pools_of(self.instance)]
        storage.free_concurrency_slots_for_run(self.run_id)
        claimed = {slot.run_id for pool in pools for slot in pool.claimed_slots}
        return self.run_id in claimed | {
            step.run_id for pool in pools for step in pool.pending_steps
        }
