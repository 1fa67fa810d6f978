"""Private interfaces of Dagster by which the switches of schedules and sensors are read and set."""

from collections.abc import Mapping

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus

__all__ = ["SCHEDULE", "SENSOR", "InstigatorState", "is_on", "stored_states"]
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
    if instance.schedule_storage is None:  # an ephemeral instance has no switches
        return {}
    return {each.name: each for each in instance.all_instigator_state(instigator_type=kind)}


def is_on(
    definition: dg.ScheduleDefinition | dg.SensorDefinition, stored: InstigatorState | None
) -> bool:
    """Return True if a schedule or a sensor is on.

    Args:
        definition: it decides as long as nobody has switched it.
        stored: its stored state.
    """
    by_default: bool = definition.default_status.value == InstigatorStatus.RUNNING.value
    if stored is None or stored.status is InstigatorStatus.DECLARED_IN_CODE:
        return by_default
    return stored.status is InstigatorStatus.RUNNING
