"""The switches of schedules and sensors: those that are on, and those that are off."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import dagster as dg

from analytics_assets.orchestration.automation.compat import (
    SCHEDULE,
    SENSOR,
    InstigatorState,
    is_on,
    stored_states,
)

RUNNING = dg.DefaultScheduleStatus.RUNNING.value  # that of sensors has the same value


class Switch(NamedTuple):
    """The switch of a schedule or a sensor.

    Args:
        name: the name of the schedule or the sensor.
        is_on: True if it is on.
    """

    name: str
    is_on: bool


def automation_state(instance: dg.DagsterInstance, definitions: dg.Definitions) -> list[Switch]:
    """Return the switches of all schedules, then of all sensors, as the UI shows them.

    Args:
        instance: holds the switches.
        definitions: has the schedules and the sensors.
    """
    repository = definitions.get_repository_def()
    schedules = _switches(repository.schedule_defs, stored_states(instance, SCHEDULE))
    return [*schedules, *_switches(repository.sensor_defs, stored_states(instance, SENSOR))]


def _switches(
    definitions: Iterable[dg.ScheduleDefinition | dg.SensorDefinition],
    stored: Mapping[str, InstigatorState],
) -> list[Switch]:
    return sorted(
        Switch(each.name, is_on(each.default_status.value == RUNNING, stored.get(each.name)))
        for each in definitions
    )


def automation_summary(instance: dg.DagsterInstance, definitions: dg.Definitions) -> str:
    """Return a sentence or two about the schedules and sensors that are on, and those that are off.

    Args:
        instance: holds the switches.
        definitions: has the schedules and the sensors.
    """
    switches = automation_state(instance, definitions)
    on = ", ".join(each.name for each in switches if each.is_on)
    off = ", ".join(each.name for each in switches if not each.is_on)
    remedy = (
        'Switch them on under *Automation* in the UI, or by the policy `automation: "on"`.'
        if off
        else ""
    )
    return f"Automation on: {on or 'none'}; off: {off or 'none'}. {remedy}".strip()
