"""Dispositions and strategies of an entry that changes: what is stored never wins."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.api import Api
from analytics_assets.config.errors import find_cause
from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.evolution.strategy import StoredHistoryError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import (
    change,
    check_of,
    entry_of,
    failures_of,
    load,
    table_values,
)
from analytics_assets_tests.support.sandbox import Sandbox

Row = dict[str, Any]
SCD2 = {"disposition": "merge", "strategy": "scd2"}
UPSERT = {"disposition": "merge", "strategy": "upsert"}
INSERT_ONLY = {"disposition": "merge", "strategy": "insert-only"}
FOREVER = {**SCD2, "active_record_timestamp": "9999-12-31"}


def store(
    warehouse: Warehouse,
    disposition: Any,
    rows: Sequence[Row],
    columns: Any = None,
) -> None:
    with warehouse.loading("shop", table="orders") as pipeline:
        pipeline.run(
            list(rows),
            table_name="orders",
            primary_key="id",
            write_disposition=disposition,
            columns=columns,
            loader_file_format="parquet",
        )


def names(warehouse: Warehouse) -> list[tuple[int, str]]:
    rows = table_values(warehouse.pipeline("test_reader"), "orders", "name")
    return sorted((row["id"], row["name"]) for row in rows)


def row(number: int, name: str) -> Row:
    return {"id": number, "name": name, "tags": [{"tag": name}]}


@pytest.mark.parametrize("strategy", [SCD2, FOREVER])
def test_old_versions_are_refused_by_a_merge_until_they_are_deleted(
    warehouse: Warehouse, strategy: Any
) -> None:
    store(warehouse, strategy, [row(1, "a"), row(2, "a")])
    store(warehouse, strategy, [row(1, "b"), row(2, "a")])
    before = names(warehouse)
    assert before == [(1, "a"), (1, "b"), (2, "a")]

    with pytest.raises(PipelineStepFailed) as failed:
        store(warehouse, "merge", [row(1, "c")])

    refusal = str(find_cause(failed.value, StoredHistoryError))
    assert refusal.startswith("The table `orders` holds 1 old versions of rows")
    assert names(warehouse) == before

    for statement in refusal.partition("delete the old versions: ")[2].split("; "):
        change(warehouse, "orders", statement)
    for name in "cd":
        store(warehouse, "merge", [row(1, name)])
        assert names(warehouse) == [(1, name), (2, "a")]
        children = table_values(warehouse.pipeline("test_reader"), "orders__tags", "tag")
        assert sorted(child["tag"] for child in children) == ["a", name]


def test_without_old_versions_a_merge_follows_scd2(warehouse: Warehouse) -> None:
    store(warehouse, SCD2, [row(1, "a"), row(2, "a")])
    for name in "bc":
        store(warehouse, "merge", [row(1, name)])
        assert names(warehouse) == [(1, name), (2, "a")]


@pytest.mark.parametrize("before", ["merge", "append", "replace", SCD2, UPSERT])
def test_an_upsert_replaces_the_children_that_another_strategy_has_loaded(
    warehouse: Warehouse, before: Any
) -> None:
    for strategy in (before, UPSERT, before if before == "merge" else UPSERT, UPSERT):
        store(warehouse, strategy, [row(1, "b"), row(2, "c")])
        children = table_values(warehouse.pipeline("test_reader"), "orders__tags", "tag")
        assert [child["tag"] for child in children] == ["b", "c"]


@pytest.mark.parametrize(
    ("strategy", "ended"),
    [(SCD2, "_dlt_valid_to IS NOT NULL"), (FOREVER, "_dlt_valid_to < '9999-01-01'")],
)
def test_scd2_after_a_merge_keeps_the_merged_rows_as_old_versions(
    warehouse: Warehouse, strategy: Any, ended: str
) -> None:
    store(warehouse, "merge", [row(1, "a"), row(2, "a")])
    store(warehouse, strategy, [row(1, "b"), row(2, "a")])
    store(warehouse, strategy, [row(1, "c"), row(2, "a")])
    assert set(names(warehouse)) == {(1, "a"), (1, "b"), (1, "c"), (2, "a")}
    change(warehouse, "orders", f"DELETE FROM {{table}} WHERE {ended}")
    assert names(warehouse) == [(1, "c"), (2, "a")]


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("append", "merge", [(1, "b"), (2, "a")]),
        (INSERT_ONLY, "merge", [(1, "b"), (2, "a")]),
        (UPSERT, "merge", [(1, "b"), (2, "a")]),
        ("merge", UPSERT, [(1, "b"), (2, "a")]),
        ("replace", "merge", [(1, "b"), (2, "a")]),
        (SCD2, "replace", [(1, "b")]),
        ("merge", "replace", [(1, "b")]),
        (SCD2, "append", [(1, "a"), (1, "b"), (2, "a")]),
        ("merge", "append", [(1, "a"), (1, "b"), (2, "a")]),
    ],
)
def test_the_disposition_of_the_entry_counts(
    warehouse: Warehouse, first: Any, then: Any, expected: list[tuple[int, str]]
) -> None:
    rows = [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]
    store(warehouse, first, rows)
    store(warehouse, then, [{"id": 1, "name": "b"}])
    assert names(warehouse) == expected


def test_a_column_that_once_marked_deleted_rows_no_longer_does(warehouse: Warehouse) -> None:
    rows = [{"id": 1, "name": "a", "gone": False}]
    store(warehouse, "merge", rows, {"gone": {"hard_delete": True}})
    store(warehouse, "merge", [{"id": 1, "name": "b", "gone": True}])
    assert names(warehouse) == [(1, "b")]


def test_a_row_that_comes_back_unchanged_is_a_version_of_its_own(warehouse: Warehouse) -> None:
    first, second = row(1, "a"), row(2, "a")
    store(warehouse, "merge", [first, second])  # makes the ids of rows unique
    for rows in ([first, second], [first], [first, second]):
        store(warehouse, SCD2, rows)
    assert names(warehouse).count((2, "a")) == 3


def test_a_run_names_the_statements_that_delete_old_versions(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    serve: Callable[[list[Any]], Sandbox],
) -> None:
    def run(disposition: Any, rows: list[Row]) -> dg.ExecuteInProcessResult:
        serve(rows)
        entry = {**entry_of("orders"), "primary_key": "id", "write_disposition": disposition}
        config = {**API.config, "resources": [entry]}
        return load(instance, api=Api(name="shop", config=config))

    for name in "ab":
        assert run(SCD2, [{"id": 1, "name": name}]).success
    [failure] = failures_of(run("merge", [{"id": 1, "name": "c"}])).values()
    assert failure.startswith("orders was not loaded. The table `orders` holds 1 old versions")
    change(warehouse, "orders", failure.partition("delete the old versions: ")[2])
    result = run("merge", [{"id": 1, "name": "c"}])
    assert check_of(result, "primary_key").passed
    assert names(warehouse) == [(1, "c")]
