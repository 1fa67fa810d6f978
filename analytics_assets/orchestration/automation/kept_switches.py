"""Switches that stay on: of resources whose schedule has another name than before.

Dagster keeps a switch under the name of the schedule. If a resource is loaded hourly and no longer
daily, its schedule is another one, and off.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.orchestration.automation.compat import ScheduleSwitches, is_on
from analytics_assets.orchestration.automation.schedules import schedules_of
from analytics_assets.orchestration.compat import store_value, stored_value
from analytics_assets.orchestration.runs.run_events import run_events
from analytics_assets.orchestration.runs.tags import SCHEDULE_TAG


class Kept(NamedTuple):
    """The switches of a tick.

    Args:
        switched: sentences about schedules that are on or off now, as those before them were.
        undecided: sentences about schedules that somebody must switch.
    """

    switched: Sequence[str]
    undecided: Sequence[str]


class _Record(NamedTuple):
    """The resources of the schedules at the tick before.

    Args:
        on: the resources that a schedule has loaded, or was to load.
        by_schedule: the resources of each schedule by its name.
    """

    on: frozenset[str]
    by_schedule: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, text: str | None) -> "_Record":
        stored = json.loads(text) if text else {"on": [], "schedules": {}}
        names = {name: frozenset(each) for name, each in stored["schedules"].items()}
        return cls(frozenset(stored["on"]), names)

    def written(self) -> str:
        names = {name: sorted(each) for name, each in sorted(self.by_schedule.items())}
        return json.dumps({"on": sorted(self.on), "schedules": names})

    def off(self, names: frozenset[str]) -> frozenset[str]:
        """Return those of some resources that were known, and off."""
        return (names & frozenset().union(*self.by_schedule.values())) - self.on

    def is_another(self, schedule: str, names: frozenset[str]) -> bool:
        """Return True if the name of a schedule was that of one for other resources."""
        return not names & self.by_schedule.get(schedule, names)


def keep_switches(
    instance: dg.DagsterInstance,
    switches: ScheduleSwitches,
    existing: Collection[str],
    apis: Iterable[Api],
    now: float,
) -> Kept:
    """Switch schedules as the ones were that have loaded the same resources under other names.

    A schedule that keeps its name keeps its switch. One that also loads resources that were off is
    left to people.

    Args:
        instance: holds the runs.
        switches: the stored switches of the code location, which is known.
        existing: the names of all schedules of the code location.
        apis: the APIs of the project.
        now: the moment, in seconds since 1970.
    """
    groups = {
        name: group
        for api in apis
        for name, group in schedules_of(api, list(api.resources.values())).items()
    }
    names = {
        name: frozenset(each.full_name for each in group.resources)
        for name, group in groups.items()
    }
    key = str(switches.key)
    text = stored_value(instance, key)
    before = _Record.read(text)
    loaded_before, undecided = _loaded_by_old_schedules(
        instance, switches, existing, before.by_schedule
    )
    before = before._replace(on=before.on | loaded_before)
    switched, on = list[str](), set[str]()
    for name, group in groups.items():
        stored = switches.stored.get(name)
        was_on, was_off = names[name] & before.on, before.off(names[name])
        is_another = before.is_another(name, names[name])
        listed = ", ".join(sorted(names[name]))
        if is_on(group.is_on, stored):
            if is_another and was_off and not was_on and stored and not group.is_on:
                switches.switch_off(name)
                switched.append(f"Switched {name} off, as what it loads now was off: {listed}.")
            else:
                on |= names[name]
        elif was_on == names[name] and (stored is None or is_another):
            switches.switch_on(name, group.cron, now)
            switched.append(f"Switched {name} on, as the schedule before it was: {listed}.")
            on |= names[name]
        elif was_on and stored is None:
            undecided.append(
                f"{', '.join(sorted(was_on))}: loaded by a schedule that was on, now by {name}, "
                "which is off and also loads others. Switch it on; or on and off again, to leave "
                "it off."
            )
            on |= was_on
    after = _Record(frozenset(on), names).written()
    if after != text:
        store_value(instance, key, after)
    return Kept(switched, undecided)


def _loaded_by_old_schedules(
    instance: dg.DagsterInstance,
    switches: ScheduleSwitches,
    existing: Collection[str],
    recorded: Collection[str],
) -> tuple[set[str], list[str]]:
    """Return what the last runs of schedules have loaded that are on and no longer exist.

    Nothing is kept of one that was on by its definition alone. Old switches, which the UI does not
    show, are switched off. Those that are recorded are known; those that have never run are
    returned as sentences.
    """
    loaded, unknown = set[str](), list[str]()
    for name, state in switches.stored.items():
        if name in existing or not is_on(False, state):
            continue
        switches.switch_off(name)
        if name in recorded:
            continue
        runs = instance.get_runs(dg.RunsFilter(tags={SCHEDULE_TAG: name}), limit=1)
        for run in runs:
            loaded |= _planned(instance, run.run_id)
        if not runs:
            unknown.append(
                f"The schedule {name} was on, no longer exists, and has never run: switch on the "
                "one that loads its resources."
            )
    return loaded, unknown


def _planned(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """Return the names of the assets that a run was to load."""
    kinds = {dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
    events = run_events(instance, run_id, kinds)
    return {event.asset_key.to_user_string() for event, _ in events if event.asset_key}
