"""The rows of runs, and of the jobs and plans that are stored for them."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from analytics_assets.orchestration.automation.retention.compat import (
    EVENTS,
    RUNS,
    SNAPSHOTS,
    index_of,
    runs_of,
)

FINISHED = ["SUCCESS", "FAILURE", "CANCELED"]  # of a run


class RunRow(NamedTuple):
    """A run.

    Args:
        number: the number of the row.
        run_id: its id.
        is_finished: True if it has ended.
        changed: the moment of its last change, in UTC.
        created: the moment at which it was requested, in UTC.
        backfill: the id of its backfill; None if it is of none.
    """

    number: int
    run_id: str
    is_finished: bool
    changed: datetime
    created: datetime
    backfill: str | None


class RunRows:
    """The rows of runs.

    Args:
        instance: holds them.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def after(self, number: int, limit: int) -> list[RunRow]:
        """Return the runs behind one, the oldest first."""
        columns = [
            *(RUNS.c.id, RUNS.c.run_id, RUNS.c.status),
            *(RUNS.c.update_timestamp, RUNS.c.create_timestamp, RUNS.c.backfill_id),
        ]
        query = sa.select(*columns).where(RUNS.c.id > number)
        with runs_of(self._instance) as connection:
            found = connection.execute(query.order_by(RUNS.c.id).limit(limit))
            return [
                RunRow(number, run_id, status in FINISHED, changed, created, backfill)
                for number, run_id, status, changed, created, backfill in found
            ]

    def newest(self) -> int:
        """Return the number of the newest run; SQLite gives it again if that run is deleted."""
        with runs_of(self._instance) as connection:
            return int(connection.execute(sa.select(sa.func.max(RUNS.c.id))).scalar() or 0)

    def snapshots_of(self, run_id: str) -> set[str]:
        """Return the ids of the stored job and of the stored plan of a run."""
        run = self._instance.get_run_by_id(run_id)
        found = {run.job_snapshot_id, run.execution_plan_snapshot_id} if run else set()
        return {each for each in found if each}

    def delete(self, run_id: str) -> None:
        """Delete a run with what is left of its events in the shared tables."""
        with index_of(self._instance) as connection:
            connection.execute(EVENTS.delete().where(EVENTS.c.run_id == run_id))
        self._instance.run_storage.delete_run(run_id)

    def delete_unused_snapshots(self, snapshots: Collection[str]) -> None:
        """Delete those of some snapshots that no run refers to."""
        for snapshot in snapshots:
            query = sa.select(RUNS.c.id).where(RUNS.c.run_body.contains(snapshot))
            with runs_of(self._instance) as connection:
                newest_first = query.order_by(RUNS.c.id.desc()).limit(1)
                if connection.execute(newest_first).first() is None:
                    unused = SNAPSHOTS.c.snapshot_id == snapshot
                    connection.execute(SNAPSHOTS.delete().where(unused))
