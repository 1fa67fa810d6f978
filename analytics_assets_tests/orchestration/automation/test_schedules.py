"""The schedules: equal policies share one, and each loads its own resources and their checks."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.config.window import Window
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation import schedules as schedule_definitions
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, range_tags


def api(*names: str, **policies: PolicyEntry) -> Api:
    """An API with three resources, or others, and these policies."""
    merged = {"primary_key": "id", "write_disposition": "merge"}
    resources = [{"name": name, "endpoint": name, **merged} for name in names or ("a", "b", "c")]
    config = {"client": {"base_url": "https://api.example.com"}, "resources": resources}
    return Api(name="shop", config=config, policies=policies)


def build_schedules(api: Api) -> list[dg.ScheduleDefinition]:
    return schedule_definitions.build_schedules(api.name, list(api.resources.values()))


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


def test_spellings_of_a_cron_expression_share_a_schedule() -> None:
    policies = {"a": PolicyEntry(schedule="0 6 * * MON"), "b": PolicyEntry(schedule="0  6 * * mon")}
    names = [schedule.name for schedule in build_schedules(api(**policies))]
    assert names == ["shop_cron_0_6", "shop_cron_0_6_every_every_mon"]


def test_time_zones_on_either_side_have_schedules_of_their_own() -> None:
    policies = {
        "a": PolicyEntry(timezone="Etc/GMT+5"),
        "b": PolicyEntry(timezone="Etc/GMT-5"),
    }
    assert len({schedule.name for schedule in build_schedules(api(**policies))}) == 3


def test_a_schedule_requests_a_run_when_it_ticks() -> None:
    definitions = build_definitions(API)
    schedule = definitions.resolve_schedule_def("analytics_cron_30_6")
    with dg.DagsterInstance.ephemeral() as instance:
        tick = schedule.evaluate_tick(dg.build_schedule_context(instance=instance))
    assert len(tick.run_requests or []) == 1


def by_day(**parts: Any) -> PolicyEntry:
    """A policy of days from the start of 2026 on, loaded in the morning."""
    how = Partitioned(**{"start": date(2026, 1, 1), **parts})
    return {"load": how, "schedule": "30 4 * * *"}


def ticked(shop: Api, name: str, at: datetime) -> tuple[list[dg.RunRequest], str | None]:
    """Return the run requests of a schedule's tick, and the reason of a skipped one."""
    definitions = build_definitions(shop)
    schedule = definitions.resolve_schedule_def(name)
    context = dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=definitions.get_repository_def()
    )
    tick = schedule.evaluate_tick(context)
    return list(tick.run_requests or []), tick.skip_message


def test_resources_with_other_partitions_and_without_any_have_schedules_of_their_own() -> None:
    berlin = {"timezone": "Europe/Berlin", "window": Window(timezone="Europe/Berlin")}
    names = {
        "day": by_day(),
        "same_day": by_day(lookback=7, longest_window=5),
        "later": by_day(start=date(2026, 2, 1)),
        "month": by_day(by="month"),
        "berlin": by_day(**berlin),
        "today": by_day(include_unfinished=True),
        "full": PolicyEntry(schedule="30 4 * * *"),
    }
    schedules = build_schedules(api(*names, **names))
    jobs = {schedule.name: schedule.description for schedule in schedules}
    at_half_past_four = "at `30 4 * * *` (UTC)."
    assert jobs == {
        f"shop_cron_30_4{suffix}": f"Loads {what} {at_half_past_four}"
        for suffix, what in {
            "": "full",
            "_by_day_from_2026_01_01": "the newest partitions of day, same_day",
            "_by_day_from_2026_01_01_europe_berlin": "the newest partitions of berlin",
            "_by_day_from_2026_01_01_with_the_unfinished_one": "the newest partitions of today",
            "_by_day_from_2026_02_01": "the newest partitions of later",
            "_by_month": "the newest partitions of month",
        }.items()
    }


def test_a_schedule_keeps_its_name_when_its_partitions_start_elsewhere() -> None:
    changed = [by_day(), by_day(start=date(2026, 2, 1)), by_day(include_unfinished=True)]
    for policy in changed:
        names = [schedule.name for schedule in build_schedules(api("a", a=policy))]
        assert names == ["shop_cron_30_4_by_day"]


def test_a_schedule_requests_the_newest_days_and_the_lookback_in_one_run_before_backfills() -> None:
    shop = api(a=by_day(), b=by_day(), c=by_day(lookback=0))
    name, at = "shop_cron_30_4_by_day", datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
    [first, second], _ = ticked(shop, name, at)
    assert first.asset_selection == [asset_key(shop.resources["a"]), asset_key(shop.resources["b"])]
    assert second.asset_selection == [asset_key(shop.resources["c"])]
    assert {**BEFORE_BACKFILLS, **range_tags(["2026-03-06", "2026-03-09"])}.items() <= (
        first.tags.items()
    )
    assert range_tags(["2026-03-09"]).items() <= second.tags.items()
    assert first.run_key != second.run_key


def test_due_days_beyond_the_longest_window_are_several_runs_before_backfills() -> None:
    shop = api("a", a=by_day(lookback=6, longest_window=3))

    requests, _ = ticked(shop, "shop_cron_30_4_by_day", datetime(2026, 3, 10, 4, 30, tzinfo=UTC))

    windows = [("2026-03-03", "2026-03-05"), ("2026-03-06", "2026-03-08"), ("2026-03-09",)]
    tags = [{**range_tags(window), **BEFORE_BACKFILLS} for window in windows]
    assert [tag.items() <= each.tags.items() for tag, each in zip(tags, requests, strict=True)] == [
        True
    ] * 3
    assert len({each.run_key for each in requests}) == 3


def test_a_schedule_before_the_end_of_the_first_partition_is_skipped() -> None:
    shop = api(a=by_day(), b=by_day(), c=by_day())
    at = datetime(2026, 1, 1, 4, 30, tzinfo=UTC)
    tick = ticked(shop, "shop_cron_30_4_by_day", at)
    assert tick == ([], "There is no partition yet.")


def test_runs_without_partitions_go_before_backfills_too() -> None:
    [request], _ = ticked(api(), "shop_cron_0_6", datetime(2026, 1, 1, 6, tzinfo=UTC))
    assert BEFORE_BACKFILLS.items() <= request.tags.items()


def test_an_invalid_cron_expression_is_refused_with_the_resource() -> None:
    with pytest.raises(ConfigurationError, match=r"policy of b: `schedule` is '61 6 \* \* \*'"):
        build_schedules(api(b={"schedule": "61 6 * * *"}))
