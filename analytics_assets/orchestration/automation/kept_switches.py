"""Switches that stay on: of resources whose schedule has another name than before.

Dagster keeps a switch under the name of the schedule. If a resource is loaded hourly and no longer
daily, its schedule is another one, and off.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.orchestration.automation.compat import ScheduleSwitches, is_on
from analytics_assets.orchestration.automation.schedules import Group, schedules_of

SCHEDULE_TAG = "dagster/schedule_name"


class Kept(NamedTuple):
    """The switches of a tick.

    Args:
        switched_on: sentences about the schedules that are on now, as the ones before them were.
        undecided: sentences about schedules that somebody must switch.
    """

    switched_on: Sequence[str]
    undecided: Sequence[str]


def keep_switches(
    instance: dg.DagsterInstance,
    switches: ScheduleSwitches,
    existing: Collection[str],
    apis: Iterable[Api],
    now: float,
) -> Kept:
    """Switch schedules on that load what schedules of other names have loaded before.

    A schedule that somebody has switched stays as it is. One that also loads resources that were
    off is left to people.

    Args:
        instance: holds the runs.
        switches: the stored switches of the code location.
        existing: the names of all schedules of the code location.
        apis: the APIs of the project.
        now: the moment, in seconds since 1970.
    """
    groups = {
        name: group
        for api in apis
        for name, group in schedules_of(api, list(api.resources.values())).items()
    }
    text = switches.value()
    before = set(json.loads(text)) if text else set()
    loaded_before, undecided = _loaded_by_old_schedules(instance, switches, existing)
    before |= loaded_before
    on = {
        name: _names(group)
        for name, group in groups.items()
        if is_on(group.is_on, switches.stored.get(name))
    }
    switched_on = list[str]()
    loaded = {resource for names in on.values() for resource in names}
    remembered = set(loaded)
    for name, group in groups.items():
        lost = (_names(group) & before) - loaded
        if name in on or name in switches.stored or not lost:
            continue
        remembered |= lost
        listed = ", ".join(sorted(lost))
        if lost == _names(group):
            switches.switch_on(name, group.cron, now)
            switched_on.append(f"Switched {name} on, as the schedule before it was: {listed}.")
        else:
            undecided.append(
                f"{listed}: loaded by a schedule that was on, now by {name}, which is off and also "
                "loads others. Switch it on; or on and off again, to leave it off."
            )
    if remembered != before or text is None:
        switches.store(json.dumps(sorted(remembered)))
    return Kept(switched_on, undecided)


def _names(group: Group) -> set[str]:
    return {resource.full_name for resource in group.resources}


def _loaded_by_old_schedules(
    instance: dg.DagsterInstance, switches: ScheduleSwitches, existing: Collection[str]
) -> tuple[set[str], list[str]]:
    """Return what the last runs of schedules have loaded that are on and no longer exist.

    Their old switches, which the UI does not show, are switched off. Those that have never run are
    returned as sentences.
    """
    loaded, unknown = set[str](), list[str]()
    for name, state in switches.stored.items():
        if name in existing or not state.is_running:
            continue
        runs = instance.get_runs(dg.RunsFilter(tags={SCHEDULE_TAG: name}), limit=1)
        for run in runs:
            loaded |= _planned(instance, run.run_id)
        if not runs:
            unknown.append(
                f"The schedule {name} was on, no longer exists, and has never run: switch on the "
                "one that loads its resources."
            )
        switches.switch_off(name)
    return loaded, unknown


def _planned(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """Return the names of the assets that a run was to load."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    events = [
        record.event_log_entry.dagster_event
        for record in instance.get_records_for_run(run_id, of_type=kind).records
    ]
    return {event.asset_key.to_user_string() for event in events if event and event.asset_key}
