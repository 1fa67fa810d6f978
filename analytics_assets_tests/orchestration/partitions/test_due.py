"""Due runs: partitions that were never loaded, and those that the API may have restated."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Load, Partitioned
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.due import due_runs
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse

NOW = datetime(2026, 1, 11, 6, tzinfo=UTC)  # ten days of January are over


def by_day(**parts: Any) -> Partitioned:
    return Partitioned(**{"start": date(2026, 1, 1), "lookback": 1, **parts})


def shop(**loads: Load) -> Api:
    merged = {"primary_key": "id", "write_disposition": "merge"}
    config = {
        "client": {"base_url": "https://api.example.com"},
        "resources": [{"name": name, "endpoint": name, **merged} for name in loads],
    }
    return Api(name="shop", config=config, policies={n: {"load": how} for n, how in loads.items()})


@pytest.fixture
def tables(duckdb_warehouse: Warehouse) -> Iterator[Tables]:
    with duckdb_warehouse.open() as opened:
        yield opened


def due(
    instance: dg.DagsterInstance, tables: Tables, api: Api, loaded: Iterable[int] = ()
) -> list[tuple[str, ...]]:
    """Return the due runs once some days of `a` are loaded: resources, first and last day."""
    for day in loaded:
        key = f"2026-01-{day:02}"
        event = dg.AssetMaterialization(asset_key(api.resources["a"]), partition=key)
        instance.report_runless_asset_event(event)
    runs = due_runs(instance, {api.name: tables}, list(api.resources.values()), NOW)
    return [
        (
            " ".join(resource.name for resource in run.resources),
            *(key[-2:] for key in (*run.partitions[:1], *run.partitions[-1:])),
        )
        for run in runs
    ]


def test_at_first_all_is_due_and_resources_without_partitions_go_first(
    instance: dg.DagsterInstance,
    tables: Tables,
) -> None:
    api = shop(a=by_day(), b=Full(), c=Full())
    assert due(instance, tables, api) == [("b c",), ("a", "01", "10")]


def test_later_the_newest_day_and_the_lookback_are_due(
    instance: dg.DagsterInstance, tables: Tables
) -> None:
    assert due(instance, tables, shop(a=by_day()), range(1, 10)) == [("a", "09", "10")]
    assert due(instance, tables, shop(a=by_day()), [10]) == [("a", "09", "10")]


def test_missing_days_are_due_in_runs_of_their_own(
    instance: dg.DagsterInstance, tables: Tables
) -> None:
    loaded = [1, 2, 5, 6, 7, 9, 10]
    assert due(instance, tables, shop(a=by_day()), loaded) == [("a", "03", "04"), ("a", "08", "10")]


def test_resources_with_the_same_days_to_load_share_a_run(
    instance: dg.DagsterInstance, tables: Tables
) -> None:
    api = shop(a=by_day(), b=by_day(), c=by_day(start=date(2026, 1, 6)))
    assert due(instance, tables, api) == [("a b", "01", "10"), ("c", "06", "10")]


def test_due_days_are_cut_into_runs_of_the_longest_window(
    instance: dg.DagsterInstance, tables: Tables
) -> None:
    api = shop(a=by_day(longest_window=4))
    assert due(instance, tables, api) == [("a", "01", "04"), ("a", "05", "08"), ("a", "09", "10")]


@pytest.mark.parametrize("start", [date(2026, 1, 11), date(2027, 1, 1)])
def test_nothing_is_due_before_the_first_day_has_ended(
    instance: dg.DagsterInstance, tables: Tables, start: date
) -> None:
    assert due(instance, tables, shop(a=by_day(start=start))) == []
