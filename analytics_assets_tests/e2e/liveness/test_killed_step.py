"""A step whose process is killed, as for lack of memory, where each step has one of its own."""

import os
import signal
from pathlib import Path

import dagster as dg
import pytest
import yaml

from analytics_assets.orchestration.runs.executor.setting import EXECUTORS
from analytics_assets.orchestration.runs.liveness.executor import leased
from analytics_assets_tests.conftest import ROOT

EXECUTOR = leased(EXECUTORS["multiprocess"]())
RETRIES = yaml.safe_load((ROOT / "deploy/dagster.yaml").read_text())["run_retries"]


@dg.op
def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dg.op
def failing() -> None:
    raise dg.Failure("the API answers 500")


@dg.job(executor_def=EXECUTOR)
def job_with_a_killed_step() -> None:
    killed()


@dg.job(executor_def=EXECUTOR)
def job_with_a_failing_step() -> None:
    failing()


@pytest.mark.parametrize(
    ("job", "is_retried"), [(job_with_a_killed_step, True), (job_with_a_failing_step, False)]
)
def test_the_run_of_a_killed_step_is_retried_and_that_of_a_failed_one_is_not(
    job: dg.JobDefinition, is_retried: bool, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT)  # which the process of the step inherits
    shipped = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    (clean_place / "dagster.yaml").write_text(yaml.safe_dump({**shipped, "run_retries": RETRIES}))
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        with dg.execute_job(dg.reconstructable(job), instance) as ended:
            run = instance.get_run_by_id(ended.run_id)
            failed = [event for event in ended.all_events if event.is_step_failure]
        assert failed
        assert run
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert run.tags["dagster/will_retry"] == str(is_retried).lower()
