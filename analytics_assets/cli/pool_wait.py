"""Waiting for pools that runs of others hold: they are named, and the wait has an end."""

import math
import time
from collections.abc import Callable, Iterable, Sequence

import dagster as dg

from analytics_assets.cli.terminal import echo
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import duration
from analytics_assets.orchestration.runs.liveness.dead_runs import ENDED, end_dead_runs
from analytics_assets.orchestration.runs.pools import pools_of as all_pools
from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets.warehouse.settings import warehouse_settings
from analytics_assets.warehouse.warehouse import Warehouse

POLL = 1.0  # seconds between two looks before a run
LEFT_BEHIND = 30.0  # seconds after which a slot of a run that has ended is free, as in dagster.yaml
POLL_IN_RUN = 30.0  # seconds between two looks meanwhile: one at each pool takes 3 ms or more


def pools_of(resources: Iterable[ResourceConfig]) -> list[str]:
    """Return the pools of some resources, sorted."""
    warehouses: dict[str, Warehouse] = {}
    for name in {each.api_name: None for each in resources}:
        warehouses[name] = Warehouse.from_settings(name)
    return sorted({warehouses[each.api_name].pool(each.table) for each in resources})


class PoolWait:
    """The wait for pools; Dagster waits for them silently, and without end.

    Args:
        instance: holds the pools.
        pools: their names; None for all.
        patience: the longest wait for one of them in seconds; None for the setting `lock_patience`.
        clock: returns seconds.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        pools: Sequence[str] | None = None,
        patience: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._instance, self._pools, self._clock = instance, pools, clock
        self._patience = warehouse_settings().lock_patience if patience is None else patience
        self._since: dict[str, float] = {}  # by pool
        self._named: set[str] = set()
        self._looked_at = -math.inf

    def wait(self) -> None:
        """Wait until no run holds one of the pools; runs whose process is gone are ended.

        Raises:
            WarehouseLockedError: runs hold one for longer than `lock_patience`.
        """
        while self._check(lambda pool: self._holders(pool, None)):
            time.sleep(min(POLL, self._patience))

    def check(self, run_id: str) -> None:
        """Look, once in a while, for other runs that hold a pool for which a run waits.

        Args:
            run_id: the run.

        Raises:
            WarehouseLockedError: they do so for longer than `lock_patience`.
        """
        if self._clock() - self._looked_at < min(POLL_IN_RUN, max(POLL, self._patience / 2)):
            return
        self._looked_at = self._clock()
        self._check(lambda pool: self._holders(pool, run_id))

    def _holders(self, pool: str, waiting: str | None) -> set[str]:
        """Return the runs that hold a pool; with a run, those for which it waits there."""
        info = self._instance.event_log_storage.get_concurrency_info(pool)
        holders = {slot.run_id for slot in info.claimed_slots}
        if waiting is None:
            return holders
        is_waiting = waiting in {step.run_id for step in info.pending_steps}
        return holders if is_waiting and waiting not in holders else set()

    def _check(self, holders_of: Callable[[str], set[str]]) -> bool:
        """Return True if a pool is held."""
        is_held = False
        for pool in all_pools(self._instance) if self._pools is None else self._pools:
            if not (holders := holders_of(pool)):
                self._since.pop(pool, None)
                continue
            is_held = True
            if self._free_slots(holders) and not (holders := holders_of(pool)):
                continue
            waited = self._clock() - self._since.setdefault(pool, self._clock())
            [holder, *_] = sorted(holders)
            if waited >= self._patience:
                raise _held(pool, holder, self._patience)
            for run_id in holders - self._named:
                echo(
                    f"Waiting for run {run_id}, which loads into the same place; for up to "
                    f"{duration(self._patience)} (setting `lock_patience`) ..."
                )
                self._named.add(run_id)
        return is_held

    def _free_slots(self, holders: set[str]) -> bool:
        """Free the slots of runs whose process is gone; return True if there were some.

        A run that has ended while one of its steps began leaves its slot behind. Where Dagster's
        daemon runs, it frees such slots.
        """
        ended = end_dead_runs(self._instance)
        records = self._instance.get_run_records(
            dg.RunsFilter(run_ids=sorted(holders), statuses=ENDED)
        )
        for record in records:
            if record.end_time and time.time() - record.end_time > LEFT_BEHIND:
                self._instance.event_log_storage.free_concurrency_slots_for_run(
                    record.dagster_run.run_id
                )
                ended.append(record.dagster_run.run_id)
        return bool(ended)


def _held(pool: str, run_id: str, patience: float) -> WarehouseLockedError:
    return WarehouseLockedError(
        f"the pool {pool}",
        f"run {run_id}",
        f"Others hold the pool {pool} for longer than {duration(patience)} (setting "
        f"`lock_patience`), run {run_id} at last. Load again when it has ended, or terminate it in "
        "the UI.",
    )
