"""The schedules of checks alone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Partitioned
from analytics_assets.orchestration.definitions import build_definitions

DAILY = Partitioned(start=date(2026, 1, 1))
SUNDAY = datetime(2026, 2, 1, 3, tzinfo=UTC)


@pytest.fixture
def stored(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that a schedule finds again, as in its own process."""
    with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
        yield instance


def api(**policies: dict[str, Any]) -> Api:
    """An API with resources of these policies, and one that no check looks at in part."""
    resources: list[dict[str, Any]] = [{"name": "keyless", "endpoint": "keyless"}]
    merged = {"primary_key": "id", "write_disposition": "merge"}
    resources += [{"name": name, "endpoint": name, **merged} for name in policies]
    config = {"client": {"base_url": "https://api.example.com"}, "resources": resources}
    return Api(name="shop", config=config, policies=policies)  # type: ignore[arg-type]


def schedules(api: Api) -> dict[str, dg.ScheduleDefinition]:
    """Return the schedules of checks by name."""
    found = build_definitions(api).resolve_all_job_defs()
    names = [job.name for job in found if "_checks" in job.name]
    return {name: build_definitions(api).resolve_schedule_def(name) for name in names}


def checked(api: Api, name: str) -> set[str]:
    """Return the resources whose checks a schedule runs, and nothing else."""
    job = build_definitions(api).resolve_job_def(name)
    assert not job.asset_layer.executable_asset_keys
    return {key.asset_key.path[-1] for key in job.asset_layer.asset_graph.asset_check_keys}


def tick(api: Api, instance: dg.DagsterInstance) -> dg.RunRequest | str | None:
    """Return the run that a tick requests, or the reason why it requests none."""
    [schedule] = schedules(api).values()
    context = dg.build_schedule_context(instance, SUNDAY)
    found = schedule.evaluate_tick(context)
    return next(iter(found.run_requests or ()), found.skip_message)


def test_a_schedule_checks_whole_tables_weekly_and_asks_no_api() -> None:
    shop = api(orders={"load": DAILY}, refunds={"load": DAILY})
    [schedule] = schedules(shop).values()
    assert (schedule.name, schedule.cron_schedule) == ("shop_checks", "0 3 * * sun")
    assert schedule.execution_timezone == "UTC"
    assert checked(shop, "shop_checks") == {"orders", "refunds"}
    job = build_definitions(shop).resolve_job_def("shop_checks")
    names = {key.name for key in job.asset_layer.asset_graph.asset_check_keys}
    assert names == {"primary_key", "lost_partitions"}


@pytest.mark.parametrize("automation", ["on", "off"])
def test_whole_tables_are_checked_whatever_switches_their_loads_on(automation: str) -> None:
    shop = api(orders={"load": DAILY, "automation": automation}, refunds={"load": DAILY})
    [schedule] = schedules(shop).values()
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert checked(shop, "shop_checks") == {"orders", "refunds"}


def test_tables_with_another_time_have_a_schedule_of_their_own() -> None:
    shop = api(
        orders={"load": DAILY, "timezone": "Europe/Berlin"},
        refunds={"load": DAILY, "check_schedule": "0 4  * * SAT"},
    )
    found = schedules(shop)
    assert {name: each.cron_schedule for name, each in found.items()} == {
        "shop_checks": "0 3 * * sun",
        "shop_checks_2": "0 4 * * sat",
    }
    assert found["shop_checks"].execution_timezone == "Europe/Berlin"
    assert checked(shop, "shop_checks_2") == {"refunds"}


def test_only_tables_that_were_ever_loaded_are_checked(stored: dg.DagsterInstance) -> None:
    shop = api(orders={"load": DAILY}, refunds={"load": DAILY})
    assert tick(shop, stored) == "None of the tables was ever loaded: orders, refunds."

    stored.report_runless_asset_event(dg.AssetMaterialization(["shop", "refunds"]))
    request = tick(shop, stored)
    assert isinstance(request, dg.RunRequest)
    assert request.asset_selection == []
    keys = request.asset_check_keys or ()
    assert {key.asset_key.path[-1] for key in keys} == {"refunds"}
    assert {key.name for key in keys} == {"primary_key", "lost_partitions"}
    assert request.tags["resources"] == "refunds"
    job = build_definitions(shop).resolve_job_def("shop_checks")
    subset = job.get_subset(asset_selection=set(), asset_check_selection={*keys})
    assert [node.name for node in subset.nodes] == ["shop__refunds_checks"]


def test_a_schedule_of_loads_keeps_its_name() -> None:
    shop = api(orders={"load": DAILY}, customers={"schedule_name": "checks"})
    assert "orders" in checked(shop, "shop_checks_2")


def test_no_cron_expression_is_an_error_that_names_the_resource() -> None:
    with pytest.raises(ConfigurationError, match="policy of `orders`: `check_schedule` is 'never'"):
        build_definitions(api(orders={"load": DAILY, "check_schedule": "never"}))
