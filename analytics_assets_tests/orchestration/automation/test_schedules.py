"""The schedules: equal policies share one, and each loads its own resources and their checks."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.config.times.window import Window
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation import schedules as schedule_definitions
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key, load_health_key
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, range_tags


def api(*names: str, **policies: PolicyEntry) -> Api:
    """An API with three resources, or others, and these policies."""
    merged = {"primary_key": "id", "write_disposition": "merge"}
    resources = [{"name": name, "endpoint": name, **merged} for name in names or ("a", "b", "c")]
    config = {"client": {"base_url": "https://api.example.com"}, "resources": resources}
    return Api(name="shop", config=config, policies=policies)


def build_schedules(api: Api) -> list[dg.ScheduleDefinition]:
    return schedule_definitions.build_schedules(api, list(api.resources.values()))


def crons(api: Api) -> dict[str, str]:
    """Return the cron expression of each schedule by its name."""
    return {each.name: str(each.cron_schedule) for each in build_schedules(api)}


def loaded(api: Api) -> dict[str, str]:
    """Return the names of the resources that each schedule loads."""
    return {
        each.name: str(each.description).split(". ")[0].removeprefix("Loads ")
        for each in build_schedules(api)
    }


def test_equal_schedules_are_one_named_after_its_rhythm() -> None:
    assert crons(api(c={"schedule": "*/15 * * * *"})) == {
        "shop_daily": "0 6 * * *",
        "shop_every_few_minutes": "*/15 * * * *",
    }


@pytest.mark.parametrize(
    ("crons", "rhythm"),
    [
        (("0 6 * * *", "30 7 * * *", "0 6 * * mon-fri", "0 6 * * 1,2", "0 6 */2 * *"), "daily"),
        (("0 * * * *", "15 * * * *", "0 8-18 * * *", "0 8-18 * * mon-fri"), "hourly"),
        (("0 */4 * * *", "0 6,18 * * *", "10 8-18/2 * * *"), "every_few_hours"),
        (("* * * * *", "*/5 * * * *", "0,30 * * * *", "*/10 6 * * *"), "every_few_minutes"),
        (("0 6 * * 1", "0 6 * * mon"), "weekly"),
        (("0 6 1 * *", "0 6 1,15 * *"), "monthly"),
        (("0 6 1 1 *", "0 6 1 */3 *"), "yearly"),
    ],
)
def test_a_change_of_the_hour_keeps_the_name_and_with_it_the_switch(
    crons: tuple[str, ...], rhythm: str
) -> None:
    for cron in crons:
        policies = {name: PolicyEntry(schedule=cron) for name in "abc"}
        assert loaded(api(**policies)) == {f"shop_{rhythm}": "a, b, c"}


def test_further_schedules_of_a_rhythm_are_numbered_behind_that_of_the_default_policy() -> None:
    changed: dict[str, PolicyEntry] = {"a": {"schedule": "0 7 * * *"}}
    assert loaded(api(**changed)) == {"shop_daily": "b, c", "shop_daily_2": "a"}
    changed["c"] = {"timezone": "Europe/Berlin"}
    assert loaded(api(**changed)) == {
        "shop_daily": "b",
        "shop_daily_2": "a",
        "shop_daily_3": "c",
    }
    changed["a"] = {"schedule": "0 9 * * *"}
    assert crons(api(**changed))["shop_daily_2"] == "0 9 * * *"


def test_a_further_resource_renames_no_schedule() -> None:
    policies: dict[str, PolicyEntry] = {
        "b": {"schedule": "0 7 * * *"},
        "c": {"schedule": "0 * * * *"},
        "d": {"schedule": "0 7 * * *"},
        "e": {"schedule": "0 8 * * *"},
    }
    few = crons(api("a", "b", "c", **{name: policies[name] for name in "bc"}))
    many = crons(api("d", "a", "b", "c", "e", **policies))
    assert few.items() <= many.items()


def test_spellings_of_a_cron_expression_share_a_schedule() -> None:
    policies = {"a": PolicyEntry(schedule="0 6 * * MON"), "b": PolicyEntry(schedule="0  6 * * mon")}
    assert loaded(api(**policies)) == {"shop_daily": "c", "shop_weekly": "a, b"}


def test_time_zones_on_either_side_have_schedules_of_their_own() -> None:
    policies = {"a": PolicyEntry(timezone="Etc/GMT+5"), "b": PolicyEntry(timezone="Etc/GMT-5")}
    zones = {each.name: each.execution_timezone for each in build_schedules(api(**policies))}
    assert zones == {
        "shop_daily": "UTC",
        "shop_daily_2": "Etc/GMT+5",
        "shop_daily_3": "Etc/GMT-5",
    }


def test_a_policy_names_its_schedule() -> None:
    nightly = PolicyEntry(schedule="0 2 * * *", schedule_name="nightly")
    days = PolicyEntry(**nightly, load=Partitioned(start=date(2026, 1, 1)))
    assert loaded(api(a=nightly, b=nightly, c=days)) == {
        "shop_nightly": "a, b",
        "shop_nightly_partitions": "the newest partitions of c",
    }


def test_one_name_for_two_times_is_refused() -> None:
    wrong = api(a={"schedule_name": "nightly"}, b={"schedule_name": "nightly", "timezone": "CET"})
    with pytest.raises(ConfigurationError) as refused:
        build_schedules(wrong)
    assert str(refused.value) == (
        "policy of `b`: `schedule_name` is 'nightly', as in the policy of `a`, but `timezone` is "
        "'CET' and not 'UTC'. Give both the same `timezone`, or another `schedule_name`."
    )


def test_schedules_are_off_at_first_unless_the_policy_says_otherwise() -> None:
    schedules = build_schedules(api(b={"automation": "on"}))
    assert {each.name: (each.default_status.value, each.description) for each in schedules} == {
        "shop_daily": (
            "STOPPED",
            'Loads a, c. Off until it is switched on here, or by the policy automation: "on".',
        ),
        "shop_daily_2": (
            "RUNNING",
            'Loads b. On from the start, by the policy automation: "on".',
        ),
    }


def test_a_schedule_that_all_resources_want_on_keeps_its_name() -> None:
    wanted = {name: PolicyEntry(automation="on") for name in "abc"}
    [schedule] = build_schedules(api(**wanted))
    assert (schedule.name, schedule.default_status.value) == ("shop_daily", "RUNNING")


def test_the_description_of_a_schedule_names_the_first_of_many_resources() -> None:
    [text] = loaded(api(*(f"table_{number}" for number in range(500)))).values()
    assert text.endswith(", table_10, table_11 and 488 more")


def test_a_schedule_requests_a_run_when_it_ticks() -> None:
    definitions = build_definitions(API)
    schedule = definitions.resolve_schedule_def("analytics_daily_2")
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
    assert loaded(api(*names, **names)) == {
        "shop_daily_partitions": "the newest partitions of day, same_day",
        "shop_daily_partitions_2": "the newest partitions of later",
        "shop_daily_partitions_3": "the newest partitions of month",
        "shop_daily_partitions_4": "the newest partitions of berlin",
        "shop_daily_partitions_5": "the newest partitions of today",
        "shop_daily": "full",
    }


def test_a_schedule_keeps_its_name_when_its_partitions_start_elsewhere() -> None:
    changed = [by_day(), by_day(start=date(2026, 2, 1)), by_day(include_unfinished=True)]
    for policy in changed:
        names = [schedule.name for schedule in build_schedules(api("a", a=policy))]
        assert names == ["shop_daily_partitions"]


def test_a_schedule_requests_the_newest_days_and_the_lookback_in_one_run_before_backfills() -> None:
    shop = api(a=by_day(), b=by_day(), c=by_day(lookback=0))
    name, at = "shop_daily_partitions", datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
    [first, second], _ = ticked(shop, name, at)
    a, b, c = map(asset_key, shop.resources.values())
    recorded = load_health_key("shop")  # of the loads of the run
    assert (first.asset_selection, second.asset_selection) == ([a, b, recorded], [c, recorded])
    assert {**BEFORE_BACKFILLS, **range_tags(["2026-03-06", "2026-03-09"])}.items() <= (
        first.tags.items()
    )
    assert range_tags(["2026-03-09"]).items() <= second.tags.items()
    assert first.run_key != second.run_key


def test_due_days_beyond_the_longest_window_are_several_runs_before_backfills() -> None:
    shop = api("a", a=by_day(lookback=6, longest_window=3))

    requests, _ = ticked(shop, "shop_daily_partitions", datetime(2026, 3, 10, 4, 30, tzinfo=UTC))

    windows = [("2026-03-03", "2026-03-05"), ("2026-03-06", "2026-03-08"), ("2026-03-09",)]
    tags = [{**range_tags(window), **BEFORE_BACKFILLS} for window in windows]
    assert [tag.items() <= each.tags.items() for tag, each in zip(tags, requests, strict=True)] == [
        True
    ] * 3
    assert len({each.run_key for each in requests}) == 3


def test_a_schedule_before_the_end_of_the_first_partition_is_skipped() -> None:
    shop = api(a=by_day(), b=by_day(), c=by_day())
    at = datetime(2026, 1, 1, 4, 30, tzinfo=UTC)
    tick = ticked(shop, "shop_daily_partitions", at)
    assert tick == ([], "There is no partition yet.")


def test_runs_without_partitions_go_before_backfills_too() -> None:
    [request], _ = ticked(api(), "shop_daily", datetime(2026, 1, 1, 6, tzinfo=UTC))
    assert {"api": "shop", "requested_by": "shop_daily"}.items() <= request.tags.items()
    assert BEFORE_BACKFILLS.items() <= request.tags.items()


def test_an_invalid_cron_expression_is_refused_with_the_resource() -> None:
    with pytest.raises(ConfigurationError, match=r"policy of `b`: `schedule` is '61 6 \* \* \*'"):
        build_schedules(api(b={"schedule": "61 6 * * *"}))
