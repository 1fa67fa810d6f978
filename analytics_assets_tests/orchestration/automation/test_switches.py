"""Schedules and sensors that are on: by default, and by the switches of the UI."""

from collections.abc import Iterator
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
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from analytics_assets.config.api import Api
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.orchestration.automation.compat import SCHEDULE
from analytics_assets.orchestration.automation.switches import (
    automation_state,
    automation_summary,
)
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.project import project_sensors

LOCATION = InProcessCodeLocationOrigin(
    LoadableTargetOrigin(module_name="analytics_assets.definitions"), location_name="shop"
)


@pytest.fixture
def instance(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that stores switches."""
    with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
        yield instance


def definitions(**policies: PolicyEntry) -> dg.Definitions:
    """A shop with three resources, and the sensors of the project."""
    client = {"base_url": "https://shop.example.com"}
    config = {"client": client, "resources": ["orders", "customers", "refunds"]}
    api = Api(name="shop", config=config, policies=policies)
    return dg.Definitions.merge(
        build_definitions(api), dg.Definitions(sensors=project_sensors([api]))
    )


def switch(instance: dg.DagsterInstance, name: str, status: InstigatorStatus) -> None:
    """Switch a schedule as the UI does."""
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(LOCATION, "__repository__"), name)
    instance.add_instigator_state(
        InstigatorState(origin, SCHEDULE, status, ScheduleInstigatorData("0 6 * * *"))
    )


SHOP = definitions(
    customers={"schedule": "0 * * * *", "automation": "on"}, refunds={"schedule": "0 0 1 * *"}
)


def on(instance: dg.DagsterInstance) -> set[str]:
    return {each.name for each in automation_state(instance, SHOP) if each.is_on}


def test_without_a_switch_the_policies_decide(instance: dg.DagsterInstance) -> None:
    always = {each.name for each in project_sensors([])}
    assert on(instance) == {"shop_hourly", *always}


def test_the_switches_of_the_ui_go_first(instance: dg.DagsterInstance) -> None:
    switch(instance, "shop_daily", InstigatorStatus.RUNNING)
    switch(instance, "shop_hourly", InstigatorStatus.STOPPED)
    always = {each.name for each in project_sensors([])}
    assert on(instance) == {"shop_daily", *always}


def test_a_schedule_that_was_on_by_its_policy_is_off_without_it(
    instance: dg.DagsterInstance,
) -> None:
    switch(instance, "shop_daily", InstigatorStatus.DECLARED_IN_CODE)
    assert "shop_daily" not in on(instance)


def test_the_summary_names_both_and_the_remedy(instance: dg.DagsterInstance) -> None:
    text = automation_summary(instance, SHOP)
    assert text.startswith("Automation on: shop_hourly, ")
    assert "; off: shop_daily, shop_monthly" in text
    assert text.endswith(
        'Switch them on under *Automation* in the UI, or by the policy `automation: "on"`.'
    )
