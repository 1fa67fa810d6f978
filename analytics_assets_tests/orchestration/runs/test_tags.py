"""The tags of runs: what people read, and what Dagster reads."""

from collections.abc import Mapping

import dagster as dg
import pytest
import yaml

from analytics_assets.definitions import definitions
from analytics_assets.orchestration.keys import load_health_key
from analytics_assets.orchestration.runs.tags import (
    LOCATION_OF_PROJECT,
    command_line_tags,
    missing_tags,
    range_tags,
    record_tags,
    run_tags,
)
from analytics_assets_tests.conftest import ROOT

ORDERS, CUSTOMERS = dg.AssetKey(["shop", "orders"]), dg.AssetKey(["shop", "customers"])
DAYS = ["2026-01-01", "2026-01-02", "2026-01-10"]


def test_a_run_has_dagsters_tags_for_its_partitions_and_readable_ones() -> None:
    assert run_tags("shop_daily", [ORDERS, CUSTOMERS, load_health_key("shop")], DAYS) == {
        "api": "shop",
        "requested_by": "shop_daily",
        "resources": "orders, customers",
        "window": "2026-01-01 to 2026-01-10",
        "dagster/asset_partition_range_start": "2026-01-01",
        "dagster/asset_partition_range_end": "2026-01-10",
    }


def test_the_ui_shows_the_command_line_as_what_launched_a_run() -> None:
    tags = command_line_tags([dg.AssetKey(["support", "tickets"]), ORDERS])
    assert tags == {
        "api": "shop, support",
        "requested_by": "command line",
        "resources": "tickets, orders",
        "user": "command line",
        ".dagster/repository": "__repository__@analytics_assets",
    }


def test_runs_of_the_command_line_belong_to_the_location_of_the_workspace() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    [location] = [each["python_module"]["location_name"] for each in workspace["load_from"]]
    repository = definitions().get_repository_def().name
    assert f"{repository}@{location}" == LOCATION_OF_PROJECT


@pytest.mark.parametrize(
    ("tags", "missing"),
    [
        ({"dagster/from_ui": "true"}, {"requested_by": "Dagster UI"}),
        (
            {"dagster/backfill": "abc", **range_tags(DAYS)},
            {"requested_by": "backfill", "window": "2026-01-01 to 2026-01-10"},
        ),
        (
            {"dagster/schedule_name": "own", "dagster/partition": "2026-01-01"},
            {"requested_by": "own", "window": "2026-01-01"},
        ),
        ({}, {"requested_by": "Dagster"}),
    ],
)
def test_a_run_that_somebody_else_requests_gets_readable_tags(
    tags: Mapping[str, str], missing: Mapping[str, str]
) -> None:
    selected = frozenset([ORDERS])
    run = dg.DagsterRun("job", asset_selection=selected, tags=tags)
    assert missing_tags(run) == {"api": "shop", "resources": "orders", **missing}


def test_a_run_keeps_the_tags_that_it_has() -> None:
    run = dg.DagsterRun("job", tags=run_tags("shop_daily", [ORDERS]))
    assert missing_tags(run) == {}


@dg.job
def job() -> None:
    """A job whose runs are created, but not executed."""


def test_the_steps_of_a_run_record_its_tags_once(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = (instance.create_run_for_job(job) for _ in range(2))
    add, recorded = instance.add_run_tags, list[str]()

    def counted(run_id: str, tags: Mapping[str, str]) -> None:
        recorded.append(run_id)
        add(run_id, tags)

    monkeypatch.setattr(instance, "add_run_tags", counted)
    for each in (run, run, other, run):
        record_tags(instance, each)

    assert recorded == [run.run_id, other.run_id]
    assert {each.tags["requested_by"] for each in instance.get_runs()} == {"Dagster"}


def test_tags_that_could_not_be_recorded_are_recorded_by_the_next_step(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise OSError("locked")

    run = instance.create_run_for_job(job)
    with monkeypatch.context() as patch:
        patch.setattr(instance, "add_run_tags", locked)
        with pytest.raises(OSError, match="locked"):
            record_tags(instance, run)
    record_tags(instance, run)
    assert [each.tags["requested_by"] for each in instance.get_runs()] == ["Dagster"]


def test_the_first_of_many_resources_are_named() -> None:
    tags = run_tags("shop_daily", [dg.AssetKey(["shop", f"table_{n}"]) for n in range(500)])
    assert tags["resources"] == "table_0, table_1, table_2, table_3, table_4 and 495 more"
