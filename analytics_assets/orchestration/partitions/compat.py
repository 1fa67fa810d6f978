"""Private interfaces of Dagster by which loads of other instances enter its history."""

from collections.abc import Sequence
from typing import Any, cast

import dagster as dg
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID


def store_materializations(
    instance: dg.DagsterInstance, events: Sequence[tuple[dg.AssetMaterialization, float]]
) -> None:
    """Store materializations of one asset without a run, in one transaction.

    Dagster 1.13 has `report_runless_asset_event` for one of them, at the present moment: years of
    days take minutes, and a table that nobody has loaded for a month is fresh.

    Args:
        instance: holds the event log.
        events: each materialization and its moment, in seconds since 1970.
    """
    kind, entry = dg.DagsterEventType.ASSET_MATERIALIZATION.value, cast(Any, EventLogEntry)
    entries = [
        entry(
            error_info=None,
            level="INFO",
            user_message="",
            run_id=RUNLESS_RUN_ID,
            timestamp=moment,
            job_name=RUNLESS_JOB_NAME,
            dagster_event=DagsterEvent(
                event_type_value=kind,
                job_name=RUNLESS_JOB_NAME,
                event_specific_data=StepMaterializationData(event),
            ),
        )
        for event, moment in events
    ]
    instance.event_log_storage.store_event_batch(entries)
