"""Events of a run, and the cause of a step that failed."""

import dagster as dg
import pytest
from dagster import DagsterEventType as Kind

from analytics_assets.orchestration.runs import run_events
from analytics_assets.orchestration.runs.run_events import cause_of_failure
from analytics_assets.warehouse.errors import WarehouseLockedError


def failed(
    instance: dg.DagsterInstance, error: Exception, cause: Exception | None = None
) -> dg.ExecuteInProcessResult:
    @dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
    def load() -> None:
        raise error from cause

    @dg.job
    def job() -> None:
        load()

    return job.execute_in_process(instance=instance, raise_on_error=False)


def causes(instance: dg.DagsterInstance, run: dg.ExecuteInProcessResult) -> list[str]:
    kinds = {Kind.STEP_FAILURE, Kind.STEP_UP_FOR_RETRY}
    events = run_events.run_events(instance, run.run_id, kinds)
    return [cause_of_failure(event) for event, _ in events]


def test_events_are_read_page_by_page_in_their_order(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = failed(instance, ValueError("no"))
    kinds = {Kind.STEP_START, Kind.STEP_UP_FOR_RETRY, Kind.STEP_RESTARTED, Kind.STEP_FAILURE}
    monkeypatch.setattr(run_events, "PAGE", 1)

    found = list(run_events.run_events(instance, run.run_id, kinds))

    order = [Kind.STEP_START, Kind.STEP_UP_FOR_RETRY, Kind.STEP_RESTARTED, Kind.STEP_FAILURE]
    assert [each.event.event_type for each in found] == order
    assert [each.at for each in found] == sorted(each.at for each in found)


def test_the_cause_of_a_retry_and_of_a_failure_is_the_innermost_error(
    instance: dg.DagsterInstance,
) -> None:
    run = failed(instance, ValueError("no load"), OSError("the disk is full"))

    assert causes(instance, run) == ["OSError: the disk is full"] * 2


def test_an_error_with_a_remedy_is_the_cause_and_not_what_it_follows_from(
    instance: dg.DagsterInstance,
) -> None:
    error = WarehouseLockedError("orders", "run 1", "Run 1 holds it: wait for its end.")
    [cause, _] = causes(instance, failed(instance, error, OSError("errno 11")))

    assert cause.endswith("WarehouseLockedError: Run 1 holds it: wait for its end.")


def test_a_description_is_the_cause(instance: dg.DagsterInstance) -> None:
    failure = dg.Failure("orders was not loaded.\nTry again.", allow_retries=False)

    assert causes(instance, failed(instance, failure)) == ["orders was not loaded.\nTry again."]
