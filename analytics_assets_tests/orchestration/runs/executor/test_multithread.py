"""Steps in threads: several at once, within the limits of pools and config."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.runs.executor import steps
from analytics_assets.orchestration.runs.executor.multithread import (
    MOST_AT_ONCE,
    multithread_executor,
)
from analytics_assets_tests.orchestration.runs.executor.jobs import (
    PATIENCE,
    POOL,
    Crowd,
    events_of,
    finished,
    run_of,
    steps_with,
    terminate,
    visits,
    work_until_interrupted,
)
from analytics_assets_tests.support.loading import history_in

SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
Type = dg.DagsterEventType


@pytest.fixture
def instance(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with its history in files, whose pool has one slot."""
    with history_in(clean_place) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        yield instance


def test_steps_run_at_once(instance: dg.DagsterInstance) -> None:
    crowd = Crowd(enough=4)
    assert run_of(instance, *visits(crowd, 4)).status is SUCCESS
    assert crowd.most == 4


def test_no_more_steps_run_at_once_than_configured(instance: dg.DagsterInstance) -> None:
    crowd = Crowd(enough=2)
    run = run_of(instance, *visits(crowd, 5), config={"max_concurrent": 2})
    assert (run.status, crowd.most) == (SUCCESS, 2)


def test_by_default_eight_steps_run_at_once_at_most(instance: dg.DagsterInstance) -> None:
    crowd = Crowd(enough=5)  # four, and one for each processor
    assert run_of(instance, *visits(crowd, 10)).status is SUCCESS
    assert crowd.most <= MOST_AT_ONCE


def test_steps_of_one_pool_run_one_by_one(instance: dg.DagsterInstance) -> None:
    crowd = Crowd()
    assert run_of(instance, *visits(crowd, 3, pool=POOL)).status is SUCCESS
    assert crowd.most == 1
    info = instance.event_log_storage.get_concurrency_info(POOL)
    assert (info.claimed_slots, info.pending_steps) == ([], [])


def test_steps_of_one_tag_run_within_its_limit(instance: dg.DagsterInstance) -> None:
    crowd = Crowd()
    limits = [{"key": "kind", "value": "heavy", "limit": 1}]
    run = run_of(
        instance,
        *visits(crowd, 3, tags={"kind": "heavy"}),
        config={"tag_concurrency_limits": limits},
    )
    assert (run.status, crowd.most) == (SUCCESS, 1)


def test_a_step_that_fails_leaves_the_others_alone_and_skips_those_after_it(
    instance: dg.DagsterInstance,
) -> None:
    @dg.op
    def fail() -> int:
        raise dg.Failure("no such table")

    @dg.op
    def follow(number: int) -> None: ...

    @dg.op
    def succeed() -> None: ...

    @dg.job(executor_def=multithread_executor)
    def job() -> None:
        follow(fail())
        succeed()

    run = finished(instance, job)
    assert run.status is FAILURE
    assert steps_with(instance, run, Type.STEP_FAILURE) == ["fail"]
    assert steps_with(instance, run, Type.STEP_SUCCESS) == ["succeed"]
    assert steps_with(instance, run, Type.STEP_START) == ["fail", "succeed"]


@pytest.mark.parametrize("retries", ["enabled", "disabled"])
def test_a_step_is_run_again_by_its_policy_unless_retries_are_off(
    instance: dg.DagsterInstance, retries: str
) -> None:
    attempts: list[int] = []

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=2, delay=0.01))
    def fail_once(context: dg.OpExecutionContext) -> None:
        attempts.append(context.retry_number)
        if len(attempts) == 1:
            raise ValueError("once")

    run = run_of(instance, fail_once, config={"retries": {retries: {}}})
    assert (run.status, attempts) == ((SUCCESS, [0, 1]) if retries == "enabled" else (FAILURE, [0]))


def test_asynchronous_steps_run_at_once(instance: dg.DagsterInstance) -> None:
    crowd = Crowd(enough=2)

    def op(name: str) -> dg.OpDefinition:
        @dg.op(name=name)
        async def visit() -> None:
            await asyncio.sleep(0)
            crowd.visit()

        return visit

    assert run_of(instance, op("one"), op("other")).status is SUCCESS
    assert crowd.most == 2


def test_a_step_sees_the_context_variables_of_its_run(instance: dg.DagsterInstance) -> None:
    variable, seen = ContextVar("variable", default="nothing"), list[str]()

    @dg.op
    def look() -> None:
        seen.append(variable.get())

    variable.set("something")
    run_of(instance, look)
    assert seen == ["something"]


def test_hooks_run_after_their_step(instance: dg.DagsterInstance) -> None:
    hooked: list[str] = []

    @dg.success_hook
    def note(context: dg.HookContext) -> None:
        hooked.append(context.op.name)

    run_of(instance, *visits(Crowd(), 1), hooks=frozenset([note]))
    assert hooked == ["visit_0"]


def test_a_run_records_its_process_and_the_place_of_its_output(
    instance: dg.DagsterInstance,
) -> None:
    run = run_of(instance, *visits(Crowd(), 2), config={"max_concurrent": 3})
    texts = [str(event.message) for event in events_of(instance, run, Type.ENGINE_EVENT)]
    assert [text.partition(" (pid")[0] for text in texts if "threads" in text] == [
        "Executing steps in threads of a process, 3 at a time",
        "Finished steps in threads of a process",
    ]
    [captured] = events_of(instance, run, Type.LOGS_CAPTURED)
    assert captured.logs_captured_data.step_keys == ["visit_0", "visit_1"]


def test_termination_ends_all_steps_and_frees_their_slots(instance: dg.DagsterInstance) -> None:
    under_way, cleaned = threading.Barrier(3), list[str]()

    def op(name: str, pool: str | None) -> dg.OpDefinition:
        @dg.op(name=name, pool=pool)
        def work() -> None:
            under_way.wait()
            try:
                work_until_interrupted()
            finally:
                cleaned.append(name)

        return work

    @dg.op
    def end(context: dg.OpExecutionContext) -> None:
        under_way.wait()
        terminate(context.instance, context.run_id)

    run = run_of(instance, op("one", POOL), op("other", None), end)
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert sorted(cleaned) == ["one", "other"]
    assert {"one", "other"} <= set(steps_with(instance, run, Type.STEP_FAILURE))
    assert instance.event_log_storage.get_concurrency_info(POOL).claimed_slots == []


def test_termination_starts_no_step_that_waits(instance: dg.DagsterInstance) -> None:
    started: list[str] = []

    @dg.op
    def end(context: dg.OpExecutionContext) -> int:
        terminate(context.instance, context.run_id)
        work_until_interrupted()
        return 1

    @dg.op
    def wait(number: int) -> None:
        started.append("wait")

    @dg.job(executor_def=multithread_executor)
    def job() -> None:
        wait(end())

    assert finished(instance, job).status is dg.DagsterRunStatus.CANCELED
    assert started == []


def test_an_interruption_also_stops_a_step_whose_thread_has_not_begun_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_way, begun = threading.Event(), list[str]()

    def work(context: Any) -> Iterator[dg.DagsterEvent]:
        begun.append(context.step.key)
        under_way.set()
        work_until_interrupted()
        yield from ()

    monkeypatch.setattr(steps, "events_of_step", work)
    with steps.StepThreads(1) as threads:
        for key in ("one", "other"):
            context: Any = SimpleNamespace(step=SimpleNamespace(key=key))
            threads.start(context)
        assert under_way.wait(PATIENCE)
        threads.interrupt()
    assert begun == ["one"]


def test_an_error_outside_of_steps_interrupts_those_under_way(
    instance: dg.DagsterInstance,
) -> None:
    under_way, cleaned = threading.Barrier(2), list[str]()

    @dg.op
    def work() -> None:
        under_way.wait()
        try:
            work_until_interrupted()
        finally:
            cleaned.append("work")

    @dg.op
    def succeed() -> None:
        under_way.wait()

    @dg.success_hook
    def leave(context: dg.HookContext) -> None:
        raise SystemExit

    assert run_of(instance, work, succeed, hooks=frozenset([leave])).status is FAILURE
    assert cleaned == ["work"]
