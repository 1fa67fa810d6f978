"""Merges into Delta tables: those of other warehouses, each in one commit."""

from typing import Any

import pytest

from analytics_assets.warehouse.destinations.delta.compat.load_jobs import DeltaJob
from analytics_assets.warehouse.destinations.delta.table import change_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.warehouse.destinations.delta.stored import (
    MERGE,
    delta_table,
    store,
    stored,
)

ONE, TWO = {"id": 1, "name": "a"}, {"id": 2, "name": "a"}
INSERT_ONLY = {"disposition": "merge", "strategy": "insert-only"}
UPSERT = {"disposition": "merge", "strategy": "upsert"}


def test_a_row_replaces_that_of_its_key_in_one_commit(delta_warehouse: Warehouse) -> None:
    store(delta_warehouse, [ONE, TWO])
    before = delta_table().version()

    store(delta_warehouse, [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}])

    assert stored() == [ONE, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]
    assert delta_table().version() == before + 1


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (UPSERT, [ONE, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]),
        (INSERT_ONLY, [ONE, TWO, {"id": 3, "name": "c"}]),
        ("replace", [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}]),
        ("append", [ONE, TWO, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]),
    ],
)
def test_other_dispositions_are_those_of_dlt(
    delta_warehouse: Warehouse, disposition: Any, expected: Any
) -> None:
    store(delta_warehouse, [ONE, TWO])
    store(delta_warehouse, [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}], disposition)
    assert sorted(stored(), key=str) == expected


def test_a_table_is_replaced_by_no_rows(delta_warehouse: Warehouse) -> None:
    store(delta_warehouse, [ONE])
    store(delta_warehouse, [], "replace")
    assert stored() == []


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_rows_with_a_key_the_one_that_sorts_last_is_stored(
    delta_warehouse: Warehouse, is_first: bool
) -> None:
    columns = {"version": {"dedup_sort": "desc", "data_type": "bigint"}}
    if not is_first:
        store(delta_warehouse, [{"id": 1, "version": 0}], columns=columns)
    store(delta_warehouse, [{"id": 1, "version": number} for number in (2, 3, 1)], columns=columns)
    assert stored() == [{"id": 1, "version": 3}]


@pytest.mark.parametrize(("mark", "kind"), [(True, "bool"), ("2026-01-31", "date")])
def test_rows_that_are_marked_as_deleted_delete_those_of_their_keys(
    delta_warehouse: Warehouse, mark: Any, kind: Any
) -> None:
    columns = {"gone": {"hard_delete": True, "data_type": kind}}
    store(delta_warehouse, [ONE, TWO, {"id": 4, "gone": mark}], columns=columns)

    store(delta_warehouse, [{"id": 2, "gone": mark}, {"id": 3, "gone": mark}], columns=columns)

    assert [row["id"] for row in stored()] == [1]


def test_rows_of_a_merge_key_are_replaced_by_those_of_the_load(delta_warehouse: Warehouse) -> None:
    key: dict[str, Any] = {"primary_key": (), "merge_key": "day"}
    rows = [{"id": 1, "day": "a"}, {"id": 2, "day": "a"}, {"id": 3, "day": "b"}]
    store(delta_warehouse, rows, **key)
    store(delta_warehouse, [{"id": 9, "day": "a"}], **key)
    assert stored() == [{"id": 3, "day": "b"}, {"id": 9, "day": "a"}]


def test_keys_of_several_columns_may_have_the_names_of_words_of_sql(
    delta_warehouse: Warehouse,
) -> None:
    key: dict[str, Any] = {"primary_key": ("id", "order", "Group By")}
    rows = [{"id": 1, "order": name, "Group By": "x"} for name in ("a", "b")]
    for _ in range(2):
        store(delta_warehouse, rows, **key)
    assert sorted(row["order"] for row in stored()) == ["a", "b"]


def test_an_attempt_whose_commit_was_not_confirmed_doubles_no_row(
    delta_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(delta_warehouse, [ONE, TWO])
    attempts = list[int]()

    def unconfirmed(table: Any, changes: Any) -> None:
        change_rows(table, changes)
        attempts.append(table.version())
        if len(attempts) == 1:
            raise ConnectionError("no answer")

    monkeypatch.setattr(f"{DeltaJob.__module__}.change_rows", unconfirmed)
    store(delta_warehouse, [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}])

    assert len(attempts) == 2
    assert stored() == [ONE, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]


def test_rows_are_merged_across_the_folders_of_a_partitioned_table(
    delta_warehouse: Warehouse,
) -> None:
    columns = {"day": {"partition": True, "data_type": "date"}}
    days = ["2026-01-01", "2026-01-02", None]
    store(delta_warehouse, [{"id": n, "day": day} for n, day in enumerate(days)], columns=columns)

    store(delta_warehouse, [{"id": 0, "day": "2026-01-02"}], columns=columns)

    assert delta_table().metadata().partition_columns == ["day"]
    assert [str(row["day"]) for row in stored()] == ["2026-01-02", "2026-01-02", "None"]
    found = delta_warehouse.query("SELECT id, day FROM orders ORDER BY id")
    assert [(row[0], str(row[1])) for row in found] == [
        (0, "2026-01-02"),
        (1, "2026-01-02"),
        (2, "None"),
    ]


def test_a_load_that_two_others_precede_sees_both(delta_warehouse: Warehouse) -> None:
    for number in range(3):
        store(delta_warehouse, [{"id": number, f"column_{number}": 1}], MERGE)
    assert delta_warehouse.query("SELECT count(column_0), count(column_2) FROM orders") == [(1, 1)]
