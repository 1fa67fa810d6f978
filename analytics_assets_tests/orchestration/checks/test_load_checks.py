"""Checks of a load, on literal metadata: complete, nothing deleted, no drift."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.load import Incremental
from analytics_assets.config.policy import Policy
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.orchestration.checks.load_checks import (
    check_complete_read,
    check_cursor,
    check_pruned,
)
from analytics_assets_tests.support.orders import orders_api

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def orders(openapi: str | None = None, **policy: Any) -> Resource:
    return resource_of(orders_api(openapi, **policy), "orders")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (250, "250 rows arrived of 250."),
        ("unknown", "250 rows arrived; the API gives no total."),
    ],
)
def test_a_complete_read_passes_with_its_numbers(expected: Any, text: str) -> None:
    load = {"rows_received": 250, "rows_expected": expected, "complete": True}

    result = check_complete_read(load)

    assert (result.passed, result.text) == (True, text)
    assert result.numbers == {"rows_received": 250}


@pytest.mark.parametrize(
    ("load", "severity", "text"),
    [
        ({}, WARN, "The asset was never loaded."),
        ({"rows_received": 100, "complete": False}, WARN, "ends the read before"),
        (
            {"rows_received": 9, "rows_expected": 9, "complete": True, "rows_repeated": 4},
            WARN,
            "4 of them have the key of another",
        ),
        (
            {"rows_received": 6, "rows_expected": 6, "complete": True, "rows_of_load": 3},
            ERROR,
            "Only 3 of 6 are in the table: others had the same key there.",
        ),
    ],
)
def test_a_read_that_may_have_missed_rows_fails(
    load: dict[str, Any], severity: dg.AssetCheckSeverity, text: str
) -> None:
    result = check_complete_read(load)

    assert (result.passed, result.severity) == (False, severity)
    assert text in result.text


def test_parent_rows_for_which_nothing_was_requested_are_named() -> None:
    load = {"rows_received": 9, "rows_expected": 9, "complete": True}

    result = check_complete_read({**load, "parents_without_value": {"parents.ref": 2}})

    assert result.passed
    assert "Nothing was requested for 2 parent rows without a value in `parents.ref`" in result.text


def test_rows_that_only_steps_tell_apart_are_a_warning_with_the_remedy() -> None:
    load = {"rows_received": 9, "rows_expected": 9, "complete": True}

    result = check_complete_read({**load, "rows_alike_before_steps": 2})

    assert (result.passed, result.severity) == (False, WARN)
    assert "2 of them have the key of another row before `processing_steps`" in result.text
    assert "set `primary_key` to that" in result.text


def test_rejected_and_repeated_rows_are_not_expected_in_the_table() -> None:
    load = {"rows_received": 9, "rows_expected": 9, "complete": True, "rows_of_load": 6}

    assert (
        "Only 6" not in check_complete_read({**load, "rows_repeated": 2, "rows_rejected": 1}).text
    )


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"rows_without_cursor": 1}, "1 rows have no time of change in `updated_at`"),
        ({"rows_before_start": 2}, "2 rows changed before 2025-01-01T00:00:00Z"),
        ({"rows_yet_to_come": 3}, "3 rows have a time of change in the future"),
    ],
)
def test_rows_that_no_later_load_can_ask_for_by_their_change_are_a_warning(
    counts: dict[str, int], text: str
) -> None:
    none = {"rows_without_cursor": 0, "rows_before_start": 0, "rows_yet_to_come": 0}
    cursor = {"cursor_before": "none", "cursor_start": "2025-01-01T00:00:00Z", "cursor_after": "x"}

    result = check_cursor({**none, **cursor, **counts}, incremental())

    assert (result.passed, result.severity) == (False, WARN)
    assert result.text.startswith(text)


def incremental() -> Policy:
    load = Incremental(initial_value="2025-01-01T00:00:00Z")
    return orders(load=load).policy


@pytest.mark.parametrize(
    ("rejected", "reason"),
    [(0, "more than 10% of the table"), (1, "1 rows were rejected, which may be among them")],
)
def test_rows_that_were_not_pruned_fail_with_the_reason(rejected: int, reason: str) -> None:
    load = {"rows_to_prune": 50, "rows_pruned": 0, "rows_rejected": rejected}

    result = check_pruned(load, orders(prune=True).policy)

    assert (result.passed, result.severity) == (False, ERROR)
    assert result.text.startswith("The API no longer has 50 rows of the table. None was deleted: ")
    assert reason in result.text


def test_rows_that_an_incomplete_read_did_not_bring_are_not_called_gone() -> None:
    load = {"rows_to_prune": 50, "rows_pruned": 0, "rows_rejected": 0, "complete": False}

    result = check_pruned(load, orders(prune=True).policy)

    assert (result.passed, result.severity) == (False, ERROR)
    assert result.text.startswith("50 rows of the table were not read. None was deleted: ")
    assert "`paginator` ends the read" in result.text


def test_pruned_rows_pass_with_their_number() -> None:
    result = check_pruned({"rows_to_prune": 5, "rows_pruned": 5}, orders(prune=True).policy)

    assert (result.passed, result.text) == (True, "5 rows were deleted.")
