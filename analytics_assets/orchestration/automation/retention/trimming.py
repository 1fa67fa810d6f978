"""Trims Dagster's history in small steps: what is old, and that no reader asks for."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.settings.history import run_days
from analytics_assets.orchestration.automation.retention.compat import has_tables
from analytics_assets.orchestration.automation.retention.progress import Part, Progress, Trimmed
from analytics_assets.orchestration.automation.retention.step import Step
from analytics_assets.orchestration.compat import history_kept_open, store_value, stored_value
from analytics_assets.orchestration.load_health.history import FIRST_LOOK_BACK, read_until

KEY = "analytics_assets/history"  # of the stored progress
PAUSE = timedelta(days=1)  # between two passes through the history
SECONDS = 2.0  # of a step


def trim_history(
    instance: dg.DagsterInstance, apis: Iterable[Api], now: datetime, seconds: float = SECONDS
) -> Trimmed:
    """Remove a part of the old history, and note where the next step begins.

    What stays, however old it is: the newest load and the newest observation of each asset and of
    each of its partitions, the newest result of each check, the runs of these with their start and
    end, runs that have not ended, and those of a backfill under way. `history.run_days` sets the
    age; what `load_health` has not read yet is kept longer.

    Args:
        instance: an instance; without stored history nothing is done.
        apis: the APIs of the project.
        now: the moment.
        seconds: the time of the step; one that deletes may take some tenths more.
    """
    trimmed, days = Trimmed(), run_days()
    if not days or not has_tables(instance):
        return trimmed
    stored = stored_value(instance, KEY)
    progress = Progress(**json.loads(stored)) if stored else None
    age = timedelta(days=days)
    if progress is None or progress.part == Part.ENDED:
        ended = datetime.fromisoformat(str(progress.after)) if progress else None
        if ended and now < ended + PAUSE:
            return trimmed
        progress = Progress(_beginning(instance, apis, now, age).isoformat())
    elif datetime.fromisoformat(progress.before) > now - age:  # the setting keeps more since
        progress = replace(progress, before=(now - age).isoformat())
    with history_kept_open(instance):
        until = time.monotonic() + seconds
        after = Step(instance, progress, trimmed, now, until).taken()
    if (text := json.dumps(asdict(after))) != stored:
        store_value(instance, KEY, text)
    return trimmed


def _beginning(
    instance: dg.DagsterInstance, apis: Iterable[Api], now: datetime, age: timedelta
) -> datetime:
    """Return the moment before which history is old, and read by `load_health`."""
    first = now - FIRST_LOOK_BACK - PAUSE
    read = [max(read_until(instance, api.name) or first, first) for api in apis]
    return min([now - age, *read])
