"""Slots of pools: a free slot is assigned to a step that waits for it.

Dagster 1.13 looks for a free slot, and then adds the step to the queue of the pool. A slot that
another process frees in between is assigned to nobody, and the step waits until the next step frees
a slot: for ever, if there is none.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from uuid import uuid4

import dagster as dg


def pools_of(instance: dg.DagsterInstance) -> list[str]:
    """Return the names of all pools, sorted; none if the instance has no pools."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return []
    return sorted(storage.get_concurrency_keys())


def assign_free_slots(
    instance: dg.DagsterInstance, pools: Sequence[str] | None = None
) -> list[str]:
    """Assign the free slots of pools to the steps that wait for them.

    A step of no run claims the slot and frees it, upon which Dagster assigns it to the first step
    in the queue.

    Args:
        instance: holds the pools.
        pools: their names; None for all. A look at one takes 3 ms on SQLite.

    Returns:
        The pools with such a slot.
    """
    storage, assigned = instance.event_log_storage, []
    for pool in pools_of(instance) if pools is None else pools:
        info = storage.get_concurrency_info(pool)
        waiting = [step for step in info.pending_steps if not step.assigned_timestamp]
        taken = len(info.pending_steps) - len(waiting)
        if waiting and taken < info.slot_count:
            step = uuid4().hex
            storage.claim_concurrency_slot(pool, step, step)
            storage.free_concurrency_slot_for_step(step, step)
            assigned.append(pool)
    return assigned


@contextmanager
def free_slots_assigned(
    instance: dg.DagsterInstance, interval: timedelta = timedelta(seconds=5)
) -> Iterator[None]:
    """Assign free slots every few seconds inside the context, for runs without Dagster's daemon.

    Args:
        instance: holds the pools; an ephemeral one is known to this process alone.
        interval: the time between two looks at the pools.
    """
    if instance.is_ephemeral:
        yield
        return
    left = Event()

    def assign() -> None:
        while not left.wait(interval.total_seconds()):
            assign_free_slots(instance)

    thread = Thread(target=assign, name="free slots", daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()
