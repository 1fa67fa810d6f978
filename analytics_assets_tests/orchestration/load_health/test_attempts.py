"""Attempts to load, from the events of a run."""

import dagster as dg
from dagster import DagsterEventType as Kind

from analytics_assets.orchestration.load_health.attempts import (
    FAILED,
    KILLED,
    KINDS,
    UNDER_WAY,
    Attempt,
    attempts_of,
)
from analytics_assets.orchestration.metadata.names import ROWS_LOADED
from analytics_assets.orchestration.runs.run_events import run_events
from analytics_assets.warehouse.queries.load_health import LOADED
from analytics_assets_tests.orchestration.load_health.runs import STEPS, failing, run_steps


def found(
    instance: dg.DagsterInstance,
    run: dg.ExecuteInProcessResult,
    without: tuple[Kind, ...] = (),
    has_ended: bool = True,
) -> list[Attempt]:
    events = run_events(instance, run.run_id, KINDS - {*without})
    return list(attempts_of(events, STEPS, has_ended))


def test_a_load_and_a_failed_one_have_their_numbers_and_error(
    instance: dg.DagsterInstance,
) -> None:
    error = dg.Failure("orders was not loaded. The API answered 500.\nTry again.")
    run = run_steps(instance, orders=failing(error), items=lambda: {ROWS_LOADED: 3})

    orders, items = found(instance, run)

    assert (orders.resource, orders.outcome) == ("orders", FAILED)
    assert orders.error == "orders was not loaded. The API answered 500."
    assert (items.resource, items.outcome, items.error) == ("items", LOADED, "")
    assert items.metadata == {ROWS_LOADED: 3}
    assert items.seconds is not None
    assert 0 <= items.seconds < 60


def test_metadata_of_an_earlier_version_have_the_names_of_today(
    instance: dg.DagsterInstance,
) -> None:
    run = run_steps(instance, orders=lambda: {"rows_loaded": 3})

    assert found(instance, run)[0].metadata == {ROWS_LOADED: 3}


def test_the_error_is_that_of_the_first_cause(instance: dg.DagsterInstance) -> None:
    def body() -> dict[str, object]:
        try:
            raise ValueError("the disk is full\nat 100%")
        except ValueError as error:
            raise RuntimeError("no load") from error

    assert "the disk is full" in found(instance, run_steps(instance, orders=body))[0].error


def test_each_attempt_of_a_retried_step_counts(instance: dg.DagsterInstance) -> None:
    errors = [ValueError("first"), ValueError("second")]

    def body() -> dict[str, object]:
        if errors:
            raise errors.pop(0)
        return {}

    attempts = found(instance, run_steps(instance, retries=2, orders=body))

    outcomes = [(attempt.number, attempt.outcome) for attempt in attempts]
    assert outcomes == [(1, FAILED), (2, FAILED), (3, LOADED)]
    assert ["first" in attempts[0].error, "second" in attempts[1].error] == [True, True]


def test_an_attempt_without_an_end_is_under_way_or_was_killed(
    instance: dg.DagsterInstance,
) -> None:
    run = run_steps(instance, orders=lambda: {})

    [under_way] = found(instance, run, without=(Kind.STEP_SUCCESS,), has_ended=False)
    [killed] = found(instance, run, without=(Kind.STEP_SUCCESS,))

    assert (under_way.outcome, under_way.ended, under_way.error) == (UNDER_WAY, None, "")
    assert (killed.outcome, killed.seconds) == (KILLED, None)
    assert killed.error


def test_other_steps_are_no_loads(instance: dg.DagsterInstance) -> None:
    assert found(instance, run_steps(instance, load_health=lambda: {})) == []
