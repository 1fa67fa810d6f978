"""A schedule that was on under another name: its resources are loaded as before, or it says so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    SensorInstigatorData,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from analytics_assets.config.api import Api
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.orchestration.automation.compat import SCHEDULE, SENSOR, ScheduleSwitches
from analytics_assets.orchestration.automation.kept_switches import Kept, keep_switches
from analytics_assets.orchestration.automation.schedules import schedules_of
from analytics_assets.orchestration.definitions import build_definitions

LOCATION = InProcessCodeLocationOrigin(
    LoadableTargetOrigin(module_name="analytics_assets.definitions"), location_name="project"
)
REPOSITORY = RemoteRepositoryOrigin(LOCATION, "__repository__")
ON, OFF = InstigatorStatus.RUNNING, InstigatorStatus.STOPPED
HOURLY, WEEKLY = PolicyEntry(schedule="0 * * * *"), PolicyEntry(schedule="0 6 * * 1")
NOTHING = Kept([], [])


@pytest.fixture
def instance(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with a code location whose house-keeping sensor is on."""
    with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
        origin = RemoteInstigatorOrigin(REPOSITORY, "housekeeping")
        data = SensorInstigatorData(min_interval=30)
        instance.add_instigator_state(InstigatorState(origin, SENSOR, ON, data))
        yield instance


def shop(**policies: PolicyEntry) -> Api:
    client = {"base_url": "https://shop.example.com"}
    config = {"client": client, "resources": ["orders", "customers", "refunds"]}
    return Api(name="shop", config=config, policies=policies)


def switch(instance: dg.DagsterInstance, name: str, status: InstigatorStatus) -> None:
    """Switch a schedule as the UI does."""
    origin = RemoteInstigatorOrigin(REPOSITORY, name)
    data = ScheduleInstigatorData("0 6 * * *")
    state = InstigatorState(origin, SCHEDULE, status, data)
    known = instance.get_instigator_state(state.instigator_origin_id, state.selector_id)
    (instance.update_instigator_state if known else instance.add_instigator_state)(state)


def switches(instance: dg.DagsterInstance) -> dict[str, str]:
    stored = ScheduleSwitches(instance, "housekeeping", "project").stored
    return {name: state.status.value for name, state in stored.items()}


def tick(instance: dg.DagsterInstance, api: Api, *others: str) -> Kept:
    """Evaluate what the sensor does in a tick, in a project with further schedules."""
    existing = {*schedules_of(api, list(api.resources.values())), *others}
    own = ScheduleSwitches(instance, "housekeeping", "project")
    return keep_switches(instance, own, existing, [api], 0.0)


def test_a_schedule_of_another_rhythm_is_on_if_the_one_before_it_was(
    instance: dg.DagsterInstance,
) -> None:
    switch(instance, "shop_daily", ON)
    assert tick(instance, shop()) == NOTHING
    hourly = shop(orders=HOURLY, customers=HOURLY, refunds=HOURLY)

    assert tick(instance, hourly) == Kept(
        [
            "Switched shop_hourly on, as the schedule before it was: "
            "shop/customers, shop/orders, shop/refunds."
        ],
        [],
    )
    assert switches(instance) == {"shop_daily": "STOPPED", "shop_hourly": "RUNNING"}
    assert tick(instance, hourly) == NOTHING


def test_a_resource_that_leaves_its_schedule_takes_the_switch_along(
    instance: dg.DagsterInstance,
) -> None:
    switch(instance, "shop_daily", ON)
    tick(instance, shop())
    assert tick(instance, shop(orders=HOURLY)).switched
    assert switches(instance) == {"shop_daily": "RUNNING", "shop_hourly": "RUNNING"}


def test_a_schedule_that_was_off_stays_off_under_another_name(
    instance: dg.DagsterInstance,
) -> None:
    assert tick(instance, shop()) == NOTHING
    assert tick(instance, shop(orders=HOURLY)) == NOTHING
    assert switches(instance) == {}


def test_a_schedule_that_also_loads_what_was_off_is_left_to_people(
    instance: dg.DagsterInstance,
) -> None:
    switch(instance, "shop_daily", ON)
    tick(instance, shop(orders=WEEKLY))
    moved = shop(orders=WEEKLY, refunds=WEEKLY)
    for _ in range(2):
        [sentence] = tick(instance, moved).undecided
        assert sentence.startswith(
            "shop/refunds: loaded by a schedule that was on, now by shop_weekly, which is off"
        )
    switch(instance, "shop_weekly", OFF)
    assert tick(instance, moved) == NOTHING


def test_a_name_that_another_schedule_takes_over_does_not_switch_it_on(
    instance: dg.DagsterInstance,
) -> None:
    later = PolicyEntry(schedule="0 7 * * *")
    switch(instance, "shop_daily", ON)
    tick(instance, shop(refunds=later))
    assert tick(instance, shop(orders=HOURLY, customers=HOURLY, refunds=later)) == Kept(
        [
            "Switched shop_hourly on, as the schedule before it was: shop/customers, shop/orders.",
            "Switched shop_daily off, as what it loads now was off: shop/refunds.",
        ],
        [],
    )
    assert switches(instance) == {"shop_daily": "STOPPED", "shop_hourly": "RUNNING"}


def test_a_name_that_another_schedule_takes_over_does_not_switch_it_off(
    instance: dg.DagsterInstance,
) -> None:
    later = PolicyEntry(schedule="0 7 * * *")
    switch(instance, "shop_daily_2", ON)
    switch(instance, "shop_daily", OFF)
    tick(instance, shop(refunds=later))
    moved = shop(orders=HOURLY, customers=HOURLY, refunds=later)
    assert tick(instance, moved) == Kept(
        ["Switched shop_daily on, as the schedule before it was: shop/refunds."], []
    )
    assert switches(instance) == {"shop_daily": "RUNNING", "shop_daily_2": "STOPPED"}
    assert tick(instance, moved) == NOTHING


def test_a_new_resource_of_a_schedule_that_is_on_is_loaded(instance: dg.DagsterInstance) -> None:
    few = replace(shop(), config={**shop().config, "resources": ["orders"]})
    switch(instance, "shop_daily", ON)
    tick(instance, few)
    assert tick(instance, shop()) == NOTHING
    assert switches(instance) == {"shop_daily": "RUNNING"}


def test_a_schedule_that_somebody_switches_off_stays_off(instance: dg.DagsterInstance) -> None:
    switch(instance, "shop_daily", ON)
    tick(instance, shop())
    switch(instance, "shop_daily", OFF)
    assert tick(instance, shop()) == NOTHING
    assert tick(instance, shop(orders=HOURLY)) == NOTHING


def test_the_switch_of_an_earlier_version_is_known_by_the_last_run(
    instance: dg.DagsterInstance,
) -> None:
    switch(instance, "shop_cron_0_6", ON)
    switch(instance, "own_mart", ON)
    job = build_definitions(shop()).resolve_job_def("shop_daily")
    instance.create_run_for_job(job, tags={"dagster/schedule_name": "shop_cron_0_6"})

    assert len(tick(instance, shop(), "own_mart").switched) == 1
    assert switches(instance) == {
        "shop_cron_0_6": "STOPPED",
        "own_mart": "RUNNING",
        "shop_daily": "RUNNING",
    }


def test_an_old_schedule_that_has_never_run_is_named(instance: dg.DagsterInstance) -> None:
    switch(instance, "shop_cron_0_6", ON)
    assert tick(instance, shop()).undecided == [
        "The schedule shop_cron_0_6 was on, no longer exists, and has never run: switch on the one "
        "that loads its resources."
    ]
    assert tick(instance, shop()) == NOTHING


def test_an_old_schedule_that_nobody_has_switched_is_not_named(
    instance: dg.DagsterInstance,
) -> None:
    switch(instance, "shop_checks_2", InstigatorStatus.DECLARED_IN_CODE)
    assert tick(instance, shop()) == NOTHING
    assert switches(instance) == {"shop_checks_2": "DECLARED_IN_CODE"}


def test_without_the_code_location_nothing_is_switched(instance: dg.DagsterInstance) -> None:
    assert ScheduleSwitches(instance, "housekeeping", "another project").key is None
