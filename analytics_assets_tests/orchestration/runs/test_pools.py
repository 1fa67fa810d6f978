"""Pools: a slot that becomes free while a step asks for it is assigned to that step."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.automation.housekeeping import build_housekeeping_sensor
from analytics_assets.orchestration.runs.pools import assign_free_slots, free_slots_assigned

POOL = "orders"
PATIENCE = 60  # seconds that a busy machine may take


@pytest.fixture
def instance(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance whose pools have one slot each."""
    with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        yield instance


@pytest.fixture
def stuck(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    """The instance, after a step has asked for the slot that another one frees at that moment."""
    storage: Any = instance.event_log_storage
    assert claims(instance, "first")
    look = storage.has_unassigned_slots

    def look_before_the_slot_is_free(pool: str) -> bool:
        is_free: bool = look(pool)
        storage.free_concurrency_slot_for_step("first", "load")
        return is_free

    with monkeypatch.context() as patch:
        patch.setattr(storage, "has_unassigned_slots", look_before_the_slot_is_free)
        assert not claims(instance, "second")
    return instance


def claims(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return True if the step of a run has the slot, or gets it now."""
    claim = instance.event_log_storage.claim_concurrency_slot(POOL, run_id, "load")
    return bool(claim.is_claimed)


def test_dagster_1_13_assigns_a_slot_that_is_freed_during_a_claim_to_nobody(
    stuck: dg.DagsterInstance,
) -> None:
    info = stuck.event_log_storage.get_concurrency_info(POOL)

    assert info.claimed_slots == []
    assert [step.assigned_timestamp for step in info.pending_steps] == [None]
    assert not claims(stuck, "second")


def tick(instance: dg.DagsterInstance) -> None:
    """Evaluate the sensor, as the daemon does."""
    skipped = build_housekeeping_sensor([])(dg.build_sensor_context(instance=instance))
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message == "Gave a free slot of pool orders."


@pytest.mark.parametrize("assign", [assign_free_slots, tick])
def test_a_free_slot_is_assigned_to_the_step_that_waits(
    stuck: dg.DagsterInstance, assign: Callable[[dg.DagsterInstance], Any]
) -> None:
    assign(stuck)

    assert claims(stuck, "second")
    assert assign_free_slots(stuck) == []


def test_a_slot_in_use_stays_with_its_step(instance: dg.DagsterInstance) -> None:
    assert claims(instance, "first")
    assert not claims(instance, "second")

    assert assign_free_slots(instance) == []
    assert not claims(instance, "second")


def test_free_slots_are_assigned_while_the_command_line_loads(stuck: dg.DagsterInstance) -> None:
    with free_slots_assigned(stuck, timedelta(milliseconds=10)):
        until = time.monotonic() + PATIENCE
        while not claims(stuck, "second") and time.monotonic() < until:
            time.sleep(0.01)

    assert claims(stuck, "second")
