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
from analytics_assets.orchestration.metadata.names import (
    COMPLETE,
    CURSOR_AFTER,
    CURSOR_BEFORE,
    CURSOR_START,
    PARENTS_WITHOUT_VALUE,
    ROWS_ALIKE_BEFORE_STEPS,
    ROWS_BEFORE_START,
    ROWS_EXPECTED,
    ROWS_OF_LOAD,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_REPEATED,
    ROWS_TO_PRUNE,
    ROWS_WITHOUT_CURSOR,
    ROWS_YET_TO_COME,
    UNKNOWN,
)
from analytics_assets_tests.support.orders import orders_api

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def orders(openapi: str | None = None, **policy: Any) -> Resource:
    return resource_of(orders_api(openapi, **policy), "orders")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (250, "250 of 250 rows arrived."),
        (UNKNOWN, "250 rows arrived; the API gives no total."),
    ],
)
def test_a_complete_read_passes_with_its_numbers(expected: Any, text: str) -> None:
    load = {ROWS_RECEIVED: 250, ROWS_EXPECTED: expected, COMPLETE: True}

    result = check_complete_read(load)

    assert (result.passed, result.text) == (True, text)
    assert result.numbers == {ROWS_RECEIVED: 250}


@pytest.mark.parametrize(
    ("load", "severity", "text"),
    [
        ({}, WARN, "The asset was never loaded."),
        ({ROWS_RECEIVED: 100, COMPLETE: False}, WARN, "ends the read before"),
        (
            {ROWS_RECEIVED: 9, ROWS_EXPECTED: 9, COMPLETE: True, ROWS_REPEATED: 4},
            WARN,
            "4 of them have the key of another",
        ),
        (
            {ROWS_RECEIVED: 6, ROWS_EXPECTED: 6, COMPLETE: True, ROWS_OF_LOAD: 3},
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
    load = {ROWS_RECEIVED: 9, ROWS_EXPECTED: 9, COMPLETE: True}

    result = check_complete_read({**load, PARENTS_WITHOUT_VALUE: {"parents.ref": 2}})

    assert result.passed
    assert "Nothing was requested for 2 parent rows without a value in `parents.ref`" in result.text


def test_rows_that_only_steps_tell_apart_are_a_warning_with_the_remedy() -> None:
    load = {ROWS_RECEIVED: 9, ROWS_EXPECTED: 9, COMPLETE: True}

    result = check_complete_read({**load, ROWS_ALIKE_BEFORE_STEPS: 2})

    assert (result.passed, result.severity) == (False, WARN)
    assert "2 of them have the key of another row before `processing_steps`" in result.text
    assert "set `primary_key` to that" in result.text


def test_rejected_and_repeated_rows_are_not_expected_in_the_table() -> None:
    load = {ROWS_RECEIVED: 9, ROWS_EXPECTED: 9, COMPLETE: True, ROWS_OF_LOAD: 6}

    assert "Only 6" not in check_complete_read({**load, ROWS_REPEATED: 2, ROWS_REJECTED: 1}).text


def test_rows_between_two_requests_come_twice_and_are_a_warning_with_the_remedy() -> None:
    load = {ROWS_RECEIVED: 9, ROWS_EXPECTED: 9, COMPLETE: True, ROWS_OF_LOAD: 6}

    result = check_complete_read(load, requests_overlap=True)

    assert (result.passed, result.severity) == (False, WARN)
    assert "3 of them have the key of another row" in result.text
    assert "set `resolution` of `Window`" in result.text
    assert check_complete_read(load).severity == dg.AssetCheckSeverity.ERROR


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({ROWS_WITHOUT_CURSOR: 1}, "1 row without a time of change in `updated_at`"),
        ({ROWS_BEFORE_START: 2}, "2 rows changed before 2025-01-01T00:00:00Z"),
        ({ROWS_YET_TO_COME: 3}, "3 rows with a time of change in the future"),
    ],
)
def test_rows_that_no_later_load_can_ask_for_by_their_change_are_a_warning(
    counts: dict[str, int], text: str
) -> None:
    none = {ROWS_WITHOUT_CURSOR: 0, ROWS_BEFORE_START: 0, ROWS_YET_TO_COME: 0}
    cursor = {CURSOR_BEFORE: "none", CURSOR_START: "2025-01-01T00:00:00Z", CURSOR_AFTER: "x"}

    result = check_cursor({**none, **cursor, **counts}, incremental())

    assert (result.passed, result.severity) == (False, WARN)
    assert result.text.startswith(text)


def incremental() -> Policy:
    load = Incremental(initial_value="2025-01-01T00:00:00Z")
    return orders(load=load).policy


@pytest.mark.parametrize(
    ("rejected", "reason"),
    [(0, "more than 10% of the table"), (1, "1 row was rejected, which may be among them")],
)
def test_rows_that_were_not_pruned_fail_with_the_reason(rejected: int, reason: str) -> None:
    load = {ROWS_TO_PRUNE: 50, ROWS_PRUNED: 0, ROWS_REJECTED: rejected}

    result = check_pruned(load, orders(prune=True).policy)

    assert (result.passed, result.severity) == (False, ERROR)
    assert result.text.startswith("The API no longer has 50 rows of the table. None was deleted: ")
    assert reason in result.text


def test_rows_that_an_incomplete_read_did_not_bring_are_not_called_gone() -> None:
    load = {ROWS_TO_PRUNE: 50, ROWS_PRUNED: 0, ROWS_REJECTED: 0, COMPLETE: False}

    result = check_pruned(load, orders(prune=True).policy)

    assert (result.passed, result.severity) == (False, ERROR)
    assert result.text.startswith("50 rows of the table were not read. None was deleted: ")
    assert "`paginator` ends the read" in result.text


def test_pruned_rows_pass_with_their_number() -> None:
    result = check_pruned({ROWS_TO_PRUNE: 5, ROWS_PRUNED: 5}, orders(prune=True).policy)

    assert (result.passed, result.text) == (True, "5 rows were deleted.")
