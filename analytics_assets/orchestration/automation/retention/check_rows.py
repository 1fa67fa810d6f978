"""The rows of checks: their results, and their places until they have run."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from analytics_assets.orchestration.automation.retention.compat import CHECKS, in_parts, index_of

Check = tuple[str, str]  # the asset and the name, as they are stored
COMPLETED = ["SUCCEEDED", "FAILED"]  # of a check


class CheckRow(NamedTuple):
    """A result of a check, or its place until it has run.

    Args:
        number: the number of the row.
        check: the asset and the name of the check, as they are stored.
        partition: the partition; None for all of the asset.
        run_id: the run.
        is_completed: True for a result.
        at: the moment, in UTC; None where an early Dagster stored none.
    """

    number: int
    check: Check
    partition: str | None
    run_id: str
    is_completed: bool
    at: datetime | None


class CheckRows:
    """The rows of checks.

    Args:
        instance: holds them.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def after(self, number: int, limit: int) -> list[CheckRow]:
        """Return the rows of checks behind one, the oldest first."""
        columns = [
            *(CHECKS.c.id, CHECKS.c.asset_key, CHECKS.c.check_name, CHECKS.c.partition),
            *(CHECKS.c.run_id, CHECKS.c.execution_status, CHECKS.c.evaluation_event_timestamp),
        ]
        query = sa.select(*columns).where(CHECKS.c.id > number).order_by(CHECKS.c.id).limit(limit)
        with index_of(self._instance) as connection:
            return [
                CheckRow(number, (asset, name), partition, run_id, status in COMPLETED, at)
                for number, asset, name, partition, run_id, status, at in connection.execute(query)
            ]

    def newest_of(self, checks: Iterable[Check]) -> dict[Check, int]:
        """Return the number of the newest row of each of some checks."""
        with index_of(self._instance) as connection:
            return {
                check: connection.execute(
                    sa.select(sa.func.max(CHECKS.c.id)).where(*_is_of(check))
                ).scalar_one()
                for check in checks
            }

    def newest_results_of(
        self, places: Iterable[tuple[Check, str | None]]
    ) -> dict[tuple[Check, str | None], tuple[int, str]]:
        """Return the number and the event of the newest result of checks, each of a partition."""
        found = dict[tuple[Check, str | None], tuple[int, str]]()
        query = sa.select(CHECKS.c.id, CHECKS.c.evaluation_event)
        with index_of(self._instance) as connection:
            for check, partition in places:
                is_there = (
                    CHECKS.c.partition.is_(None)
                    if partition is None
                    else (CHECKS.c.partition == partition)
                )
                newest = sa.select(sa.func.max(CHECKS.c.id)).where(
                    *_is_of(check), CHECKS.c.execution_status.in_(COMPLETED), is_there
                )
                of_newest = query.where(CHECKS.c.id == newest.scalar_subquery())
                for number, event in connection.execute(of_newest):
                    found[check, partition] = number, event or ""
        return found

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete rows of checks."""
        with index_of(self._instance) as connection:
            for some in in_parts(numbers):
                connection.execute(CHECKS.delete().where(CHECKS.c.id.in_(some)))

    def runs_until(self, number: int) -> set[str]:
        """Return the runs of all rows of checks up to one."""
        query = sa.select(CHECKS.c.run_id).where(CHECKS.c.id <= number).distinct()
        with index_of(self._instance) as connection:
            return {each[0] for each in connection.execute(query)}


def _is_of(check: Check) -> list[sa.ColumnElement[bool]]:
    return [CHECKS.c.asset_key == check[0], CHECKS.c.check_name == check[1]]
