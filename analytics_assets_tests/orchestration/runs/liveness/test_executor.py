"""A run's process holds the run's lease, whatever its executor is."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.executor.base import Executor

from analytics_assets.orchestration.runs.executor.multithread import (
    ONE_BY_ONE,
    multithread_executor,
)
from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.executor import LeasedExecutor, leased
from analytics_assets.orchestration.runs.liveness.lease import LeaseKey, executing
from analytics_assets_tests.orchestration.runs.executor.jobs import finished

Status = dg.DagsterRunStatus
ENDS = {
    dg.DagsterEventType.RUN_CANCELED,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_SUCCESS,
}


@pytest.mark.parametrize("executor", [ONE_BY_ONE, multithread_executor, dg.in_process_executor])
def test_a_run_has_a_lease_from_its_first_step_to_its_last(
    executor: dg.ExecutorDefinition, instance: dg.DagsterInstance, table: LeaseTable
) -> None:
    seen = list[LeaseKey]()

    @dg.op
    def step(context: dg.OpExecutionContext) -> None:
        with executing(context):
            seen.extend(LeaseKey.of(key) for key in table.read())

    @dg.op
    def failing() -> None:
        raise ValueError

    @dg.job(executor_def=leased(executor))
    def job() -> None:
        step()
        failing()

    run = finished(instance, job)

    assert run.status is dg.DagsterRunStatus.FAILURE
    assert seen == [LeaseKey(run.run_id)]
    assert dict(table.read()) == {}


@pytest.mark.parametrize("end", [Status.CANCELED, Status.FAILURE])
@pytest.mark.parametrize("succeeds", [True, False])
def test_a_run_that_others_have_ended_stays_as_they_have_ended_it(
    end: dg.DagsterRunStatus, succeeds: bool, instance: dg.DagsterInstance
) -> None:
    @dg.op
    def step(context: dg.OpExecutionContext) -> None:
        if end is Status.CANCELED:
            instance.report_run_canceled(context.run)
        else:
            instance.report_run_failed(context.run)
        if not succeeds:
            raise ValueError

    @dg.job(executor_def=leased(ONE_BY_ONE))
    def job() -> None:
        step()

    run = finished(instance, job)

    assert run.status is end
    assert len(instance.get_records_for_run(run.run_id, of_type=ENDS).records) == 1


def test_definitions_with_the_same_executor_can_be_merged() -> None:
    one = dg.Definitions(executor=leased(ONE_BY_ONE))
    other = dg.Definitions(executor=leased(ONE_BY_ONE))
    assert dg.Definitions.merge(one, other).executor is leased(ONE_BY_ONE)
    assert leased(leased(ONE_BY_ONE)) is leased(ONE_BY_ONE)
    assert leased(ONE_BY_ONE) is not leased(multithread_executor)


def test_a_leased_executor_has_the_config_and_what_its_own_loop_asks_it_for() -> None:
    class Celery(Executor):
        """As that of dagster-celery 0.29, whose loop asks the executor of the run."""

        @property
        def retries(self) -> Any:
            """The mode of retries."""
            return "enabled"

        def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
            """Execute nothing."""
            yield from ()

        def app_args(self) -> str:
            """Return arguments."""
            return "broker"

    wrapped = LeasedExecutor(Celery())
    assert (wrapped.app_args(), wrapped.retries) == ("broker", "enabled")
    multiprocess = leased(dg.multiprocess_executor)
    assert multiprocess.name == "multiprocess"
    config = {"max_concurrent": 2}
    assert multiprocess.configured(config).config_schema
    assert multiprocess.get_requirements({}) == dg.multiprocess_executor.get_requirements({})
