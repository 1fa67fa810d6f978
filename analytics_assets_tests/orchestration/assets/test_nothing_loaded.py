"""A load without a row: a failure where the API has rows."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.orchestration.assets.nothing_loaded import (
    NothingLoadedError,
    refuse_nothing_loaded,
)
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import (
    REJECTION_REASONS,
    ROWS_EXPECTED,
    ROWS_LOADED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    UNKNOWN,
)
from analytics_assets.orchestration.partitions.definition import missing_partitions, partitioned
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import failures_of, load, table_rows
from analytics_assets_tests.support.orders import document_of, orders_api

NO_KEY = "`$.id`: missing primary key"
TEXT = "`$.price`: Expected `float | null`, got `str`"
EMPTY = {ROWS_RECEIVED: 0, ROWS_REJECTED: 0, ROWS_LOADED: 0, ROWS_EXPECTED: 0}


def outcome(policy: Policy | None = None, **counts: Any) -> str:
    """Return the reason to fail, empty if there is none."""
    try:
        refuse_nothing_loaded({**EMPTY, **counts}, policy or Policy())
    except NothingLoadedError as error:
        return str(error)
    return ""


def all_rejected(**reasons: int) -> dict[str, Any]:
    rows = sum(reasons.values())
    return {ROWS_RECEIVED: rows, ROWS_REJECTED: rows, REJECTION_REASONS: reasons}


def test_rejected_rows_alone_fail_with_their_number_and_frequent_reasons() -> None:
    reasons = {"a": 1, TEXT: 5, "b": 2, "c": 3}

    assert outcome(**all_rejected(**reasons)) == (
        f"All 11 rows of the API were rejected, and are in `rejected_rows`: {TEXT} (5 times); "
        "c (3 times); b (2 times). If the API is right, take its document over by "
        "`analytics-assets contract`, or `max_rejected_share` in the policy to 1 to accept such "
        "loads."
    )


def test_rows_without_a_key_alone_lead_to_the_entry() -> None:
    assert "Set `primary_key` in the entry" in outcome(**all_rejected(**{NO_KEY: 5}))


def test_a_policy_that_accepts_all_rejected_rows_is_followed() -> None:
    assert outcome(Policy(max_rejected_share=1.0), **all_rejected(**{NO_KEY: 5})) == ""


def test_no_row_of_an_api_that_counts_some_fails() -> None:
    counted: dict[str, Any] = {ROWS_EXPECTED: 250}

    assert outcome(**counted).startswith("The API has 250 rows by the total in its answer")


@pytest.mark.parametrize(
    "counts",
    [
        {ROWS_EXPECTED: 0},
        {ROWS_EXPECTED: UNKNOWN},
        {ROWS_EXPECTED: None},
        {ROWS_RECEIVED: 5, ROWS_REJECTED: 4, ROWS_LOADED: 1, ROWS_EXPECTED: 5},
        # dropped by the entry's own steps, or by dlt's `incremental`
        {ROWS_RECEIVED: 5, ROWS_REJECTED: 4, ROWS_EXPECTED: 5},
        {ROWS_RECEIVED: 5, ROWS_EXPECTED: 5},
    ],
)
def test_other_loads_without_rows_are_no_failure(counts: dict[str, Any]) -> None:
    assert outcome(**counts) == ""


@pytest.mark.merge
def test_an_asset_whose_rows_are_all_rejected_fails_and_keeps_them(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    fields = {"id": {"type": "integer"}, "price": {"type": "number"}}
    api = orders_api(document_of(tmp_path / "kept.json", fields, ["id"]))
    serve([{"id": 1, "price": 5}])
    assert load(instance, api=api).success
    serve([{"id": 2, "price": "five"}, {"id": 3, "price": "six"}])

    result = load(instance, api=api)

    assert not result.success
    assert failures_of(result)["shop__orders"].startswith(
        "orders was not loaded. All 2 rows of the API were rejected, and are in `rejected_rows`: "
        "`$.price`: Expected `float | null`, got `str` (2 times)."
    )
    assert result.get_asset_materialization_events() == []
    stored = Warehouse.from_settings("shop")
    assert [row["id"] for row in table_rows(stored, "orders")] == [1]
    with stored.open() as tables:
        assert tables.row_count("rejected_rows") == 2


def test_partitions_whose_rows_are_all_rejected_stay_missing(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    days = Partitioned(start=date(2025, 7, 30))
    api = orders_api(load=days, date_column="date")
    serve([{"date": "2025-07-30"}])

    assert not load(instance, api=api).success

    resource = api.resources["orders"]
    keys = ["2025-07-30", "2025-07-31"]
    asset = asset_key(resource)
    assert missing_partitions(instance, asset, partitioned(resource), keys) == keys


@pytest.mark.merge
def test_the_policy_says_that_an_answer_without_its_list_has_no_rows(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    left_out = Fault(path="/v1/orders", times=None, body={"kind": "report"})
    serve([{"id": 1}, {"id": 2}])
    assert load(instance, api=orders_api(prune=True)).success
    serve([]).faults.add(left_out)

    refused = load(instance, api=orders_api(prune=True))
    accepted = load(instance, api=orders_api(prune=True, empty="absent"))

    assert '"empty": "absent"' in failures_of(refused)["shop__orders"]
    assert accepted.success
    # more than `max_pruned_share` of the table are gone
    rows = table_rows(Warehouse.from_settings("shop"), "orders")
    assert [row["id"] for row in rows] == [1, 2]
