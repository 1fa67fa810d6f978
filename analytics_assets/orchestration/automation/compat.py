"""Private interfaces of Dagster by which the switches of schedules and sensors are read and set."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RemoteInstigatorOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
)

__all__ = [
    "SCHEDULE",
    "SENSOR",
    "InstigatorState",
    "ScheduleSwitches",
    "is_on",
    "stored_states",
]
SCHEDULE, SENSOR = InstigatorType.SCHEDULE, InstigatorType.SENSOR


def stored_states(
    instance: dg.DagsterInstance, kind: InstigatorType
) -> Mapping[str, InstigatorState]:
    """Return the stored states of all schedules, or sensors, by their names.

    Dagster 1.13 has no public function that reads them. Of one that was never switched, and is off
    by default, there is none.

    Args:
        instance: holds the states.
        kind: schedules or sensors.
    """
    return {each.name: each for each in _states(instance, kind)}


def is_on(by_default: bool, stored: InstigatorState | None) -> bool:
    """Return True if a schedule or a sensor is on.

    Args:
        by_default: True if it is on as long as nobody has switched it.
        stored: its stored state.
    """
    if stored is None or stored.status is InstigatorStatus.DECLARED_IN_CODE:
        return by_default
    return stored.status is InstigatorStatus.RUNNING


class ScheduleSwitches:
    """The stored switches of the schedules of one code location.

    Dagster 1.13 keeps the switch of a schedule under its name; one that has another name is off,
    and the UI no longer shows the old switch. Only functions without `@public` read and set them.

    Args:
        instance: holds the switches.
        sensor: the name of a sensor of the code location, which has a stored state of its own.
        location: the name of the code location; None for any.
    """

    def __init__(self, instance: dg.DagsterInstance, sensor: str, location: str | None) -> None:
        self._instance = instance
        own = [
            each.origin.repository_origin
            for each in _states(instance, SENSOR)
            if each.name == sensor and location in (None, each.repository_selector.location_name)
        ]
        self._origin = own[0] if own else None
        self.stored: dict[str, InstigatorState] = {
            each.name: each
            for each in _states(instance, SCHEDULE)
            if own and each.origin.repository_origin.get_selector_id() == own[0].get_selector_id()
        }

    @property
    def key(self) -> str | None:
        """A key for values about these schedules; None if the code location is not known."""
        origin = self._origin
        return f"analytics_assets/scheduled/{origin.get_selector_id()}" if origin else None

    def switch_on(self, name: str, cron: str, now: float) -> None:
        """Switch a schedule on, as the UI does.

        Args:
            name: the schedule.
            cron: its cron expression.
            now: the moment, in seconds since 1970.
        """
        assert self._origin, "the code location is known"
        origin, data = RemoteInstigatorOrigin(self._origin, name), ScheduleInstigatorData(cron, now)
        state = InstigatorState(origin, SCHEDULE, InstigatorStatus.RUNNING, data)
        if name in self.stored:
            self._instance.update_instigator_state(state)
        else:
            self._instance.add_instigator_state(state)

    def switch_off(self, name: str) -> None:
        """Switch a schedule off, as the UI does."""
        self._instance.update_instigator_state(
            self.stored[name].with_status(InstigatorStatus.STOPPED)
        )


def _states(instance: dg.DagsterInstance, kind: InstigatorType) -> Sequence[InstigatorState]:
    if instance.schedule_storage is None:  # an ephemeral instance has no switches
        return []
    return instance.all_instigator_state(instigator_type=kind)
