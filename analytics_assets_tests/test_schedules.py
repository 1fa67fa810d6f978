"""The schedules: equal policies share one, and each loads its own resources and their checks."""

import dagster as dg
import pytest

from analytics_assets.api import API
from analytics_assets.asset_keys import asset_key
from analytics_assets.configuration import Api
from analytics_assets.configuration_error import ConfigurationError
from analytics_assets.definitions import build_definitions
from analytics_assets.policy import PolicyEntry
from analytics_assets.schedules import build_schedules


def api(**policies: PolicyEntry) -> Api:
    """An API with three resources and these policies."""
    resources = [{"name": name, "endpoint": name} for name in ("a", "b", "c")]
    config = {"client": {"base_url": "https://api.example.com"}, "resources": resources}
    return Api(name="shop", config=config, policies=policies)


def test_equal_schedules_are_one() -> None:
    schedules = build_schedules(api(c={"schedule": "*/15 * * * *"}))
    assert {schedule.name: schedule.cron_schedule for schedule in schedules} == {
        "shop_cron_0_6": "0 6 * * *",
        "shop_cron_every_by_15": "*/15 * * * *",
    }


def test_the_same_hour_in_another_time_zone_is_another_schedule() -> None:
    schedules = build_schedules(api(c={"timezone": "Europe/Berlin"}))
    assert {schedule.name: schedule.execution_timezone for schedule in schedules} == {
        "shop_cron_0_6": "UTC",
        "shop_cron_0_6_europe_berlin": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    "pair",
    [
        ("*/15 * * * *", "15 * * * *"),
        ("0 6 * * 1", "0 6 1 * *"),
        ("0 6,18 * * *", "0 6-18 * * *"),
        ("1 2 * * *", "12 * * * *"),
    ],
)
def test_different_schedules_have_different_names(pair: tuple[str, str]) -> None:
    first, second = pair
    names = {
        schedule.name
        for schedule in build_schedules(api(a={"schedule": first}, b={"schedule": second}))
    }
    assert len(names) == 3


def test_one_schedule_is_one_however_it_is_written() -> None:
    policies = {"a": PolicyEntry(schedule="0 6 * * MON"), "b": PolicyEntry(schedule="0  6 * * mon")}
    names = [schedule.name for schedule in build_schedules(api(**policies))]
    assert names == ["shop_cron_0_6", "shop_cron_0_6_every_every_mon"]


def test_time_zones_on_either_side_have_schedules_of_their_own() -> None:
    policies = {
        "a": PolicyEntry(timezone="Etc/GMT+5"),
        "b": PolicyEntry(timezone="Etc/GMT-5"),
    }
    assert len({schedule.name for schedule in build_schedules(api(**policies))}) == 3


def test_a_schedule_loads_its_resources_with_their_checks() -> None:
    job = build_definitions(API).resolve_job_def("analytics_cron_0_6_job")
    names = ("website_overview", "daily_active_users", "traffic_sources")
    loaded = {asset_key(API, name) for name in names}
    assert job.asset_layer.selected_asset_keys == loaded
    assert {key.asset_key for key in job.asset_layer.asset_graph.asset_check_keys} >= loaded
    assert len(job.asset_layer.asset_graph.asset_check_keys) == 7 * len(names) + 1  # of the cursor


def test_a_schedule_requests_a_run_when_it_ticks() -> None:
    definitions = build_definitions(API)
    schedule = definitions.resolve_schedule_def("analytics_cron_30_6")
    with dg.DagsterInstance.ephemeral() as instance:
        tick = schedule.evaluate_tick(dg.build_schedule_context(instance=instance))
    assert len(tick.run_requests or []) == 1


def test_a_cron_expression_that_cannot_be_names_the_resource() -> None:
    with pytest.raises(ConfigurationError, match=r"policy of b: `schedule` is '61 6 \* \* \*'"):
        build_schedules(api(b={"schedule": "61 6 * * *"}))
