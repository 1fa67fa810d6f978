"""The rows of events, by the run of each."""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg
import sqlalchemy as sa

from analytics_assets.orchestration.automation.retention.compat import (
    EVENT_TAGS,
    EVENTS,
    in_parts,
    index_of,
    run_file_of,
)

# the newest one of an asset, and of each of its partitions, is read however old it is
KEPT_KINDS = [
    dg.DagsterEventType.ASSET_MATERIALIZATION.value,
    dg.DagsterEventType.ASSET_OBSERVATION.value,
    dg.DagsterEventType.FRESHNESS_STATE_CHANGE.value,
]
# of a run that stays, its page shows these; Dagster's values begin with PIPELINE
OF_RUNS = [each.value for each in dg.DagsterEventType if each.value.startswith("PIPELINE_")]
# and these of the steps that have made what stays: the page of an asset asks for them
OF_STEPS = [
    dg.DagsterEventType.STEP_START.value,
    dg.DagsterEventType.STEP_SUCCESS.value,
    dg.DagsterEventType.STEP_FAILURE.value,
]
WITHOUT_RUN = ""


class EventRows:
    """The rows of events.

    Args:
        instance: holds them.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def superseded(
        self, run_id: str, limit: int, after: int = 0, before: datetime | None = None
    ) -> list[int]:
        """Return the numbers of events of a run that no reader asks for when the run is old.

        These are all but its start and end, those loads and observations that are the newest of
        their asset or partition, and the start and end of the steps that have made them. Such a
        step counts until the others of its events are deleted.

        Args:
            run_id: the run; empty for events without one.
            limit: the most numbers.
            after: the number behind which events are looked at.
            before: the moment before which events are old, in UTC; None for all of the run.
        """
        newer = EVENTS.alias("newer")
        is_newer = sa.and_(
            newer.c.asset_key == EVENTS.c.asset_key,
            newer.c.dagster_event_type == EVENTS.c.dagster_event_type,
            newer.c.id > EVENTS.c.id,
        )
        of_partition = is_newer & (newer.c.partition == EVENTS.c.partition)
        of_all = is_newer & newer.c.partition.is_(None)
        kind = sa.func.coalesce(EVENTS.c.dagster_event_type, "")
        is_superseded = sa.or_(
            kind.not_in([*KEPT_KINDS, *OF_RUNS, *OF_STEPS]),
            sa.and_(kind.in_(OF_STEPS), EVENTS.c.step_key.not_in(_steps(run_id))),
            sa.and_(
                kind.in_(KEPT_KINDS),
                sa.case(
                    (EVENTS.c.partition.is_(None), sa.exists().where(of_all)),
                    else_=sa.exists().where(of_partition),
                ),
            ),
        )
        query = (
            sa.select(EVENTS.c.id)
            .where(EVENTS.c.run_id == run_id, EVENTS.c.id > after, is_superseded)
            .order_by(EVENTS.c.id)
            .limit(limit)
        )
        if before is not None:
            query = query.where(EVENTS.c.timestamp < before)
        if run_id == WITHOUT_RUN:
            newest = sa.select(sa.func.max(EVENTS.c.id)).scalar_subquery()
            query = query.where(EVENTS.c.id < newest)
        with index_of(self._instance) as connection:
            return [each[0] for each in connection.execute(query)]

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete events with their tags; on SQLite those that all runs share."""
        with index_of(self._instance) as connection:
            for some in in_parts(numbers):
                tags = EVENT_TAGS.delete().where(EVENT_TAGS.c.event_id.in_(some))
                connection.execute(tags)
                connection.execute(EVENTS.delete().where(EVENTS.c.id.in_(some)))

    def has_newest(self, run_id: str) -> bool:
        """Return True if loads or observations of a run are left."""
        query = sa.select(EVENTS.c.id).where(
            EVENTS.c.run_id == run_id, EVENTS.c.dagster_event_type.in_(KEPT_KINDS)
        )
        with index_of(self._instance) as connection:
            return connection.execute(query.limit(1)).first() is not None

    def steps(self, run_id: str) -> list[str]:
        """Return the steps of a run that have made what is left of its loads and observations."""
        with index_of(self._instance) as connection:
            return [str(key) for (key,) in connection.execute(_steps(run_id))]

    def newest_run(self) -> str | None:
        """Return the run of the newest event, whose number SQLite gives again if it is deleted."""
        query = sa.select(EVENTS.c.run_id).order_by(EVENTS.c.id.desc()).limit(1)
        with index_of(self._instance) as connection:
            return connection.execute(query).scalar()

    def delete_old_copies(self, before: datetime, limit: int) -> int:
        """Delete old events without a run from their own file on SQLite, and return their number.

        Args:
            before: the moment before which they are old, in UTC.
            limit: the most events.
        """
        newest = sa.select(sa.func.max(EVENTS.c.id)).scalar_subquery()
        is_old = (EVENTS.c.timestamp < before) & (EVENTS.c.id < newest)
        query = sa.select(EVENTS.c.id).where(is_old).order_by(EVENTS.c.id).limit(limit)
        with run_file_of(self._instance, WITHOUT_RUN) as connection:
            numbers = [each[0] for each in connection.execute(query)]
            for some in in_parts(numbers):
                connection.execute(EVENTS.delete().where(EVENTS.c.id.in_(some)))
        return len(numbers)


def _steps(run_id: str) -> sa.Select[tuple[str | None]]:
    query = sa.select(EVENTS.c.step_key).where(
        EVENTS.c.run_id == run_id,
        EVENTS.c.dagster_event_type.in_(KEPT_KINDS),
        EVENTS.c.step_key.is_not(None),
    )
    return query.distinct()
