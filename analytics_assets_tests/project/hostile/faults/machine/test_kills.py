"""Kills of the run, of the daemon and of the webserver, at random moments of runs.

At any moment: one more run makes the table complete, and no run, slot or lock is left.
"""

import os
import random
import re
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import psutil
import pytest

from analytics_assets.orchestration.runs.liveness.dead_runs import process_of
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import point_at
from analytics_assets_tests.project.hostile.faults.machine.by_days import API
from analytics_assets_tests.support.deployment import Deployment, wait_until
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.partitioned import days_of
from analytics_assets_tests.support.sandbox import Sandbox

pytestmark = pytest.mark.e2e

[RESOURCE] = API.resources
TODAY = FIRST_DAY + timedelta(days=60)
DAYS = days_of(API, TODAY)
MODULE = "analytics_assets_tests.project.hostile.faults.machine.by_days"
VICTIMS = ["run", "run", "daemon", "webserver"]
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


class Trial:
    """A deployment with one run after the other, in which processes are killed.

    Args:
        deployment: the webserver and the daemon.
        instance: the instance of the deployment.
        sandbox: the API that is read.
        chance: chooses the moments.
    """

    def __init__(
        self,
        deployment: Deployment,
        instance: dg.DagsterInstance,
        sandbox: Sandbox,
        chance: random.Random,
    ) -> None:
        self.deployment = deployment
        self.instance = instance
        self._sandbox = sandbox
        self._chance = chance

    def launch(self) -> str:
        """Launch a run over all days, and return its id."""
        asset = f"{API.name}/{RESOURCE}"
        return self.deployment.launch([asset], "__ASSET_JOB", range_tags(DAYS))

    def living(self) -> list[dg.DagsterRun]:
        """Return the runs that are under way and whose process lives."""
        runs = self.instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        return [run for run in runs if not self._is_dead(run)]

    def kill(self, victim: str) -> None:
        """Kill a process at some moment of a run; start it again if it is a service."""
        if not self.living():
            self.launch()
        due = len(self._sandbox.requests) + self._chance.randrange(10)
        wait_until(
            lambda: len(self._sandbox.requests) >= due or not self.living(), "a part of a run"
        )
        if victim != "run":
            self.deployment.kill(victim)
            self.deployment.start(victim)
            return
        if not self.living():
            self.launch()
        os.kill(wait_until(self._process_of_a_run, "the start of a run"), signal.SIGKILL)

    def _process_of_a_run(self) -> int | None:
        processes = [process_of(self.instance, run.run_id) for run in self.living()]
        pids = [process[0] for process in processes if process]
        return pids[0] if pids else None

    def _is_dead(self, run: dg.DagsterRun) -> bool:
        process = process_of(self.instance, run.run_id)
        if not process:
            return False
        try:
            return psutil.Process(process[0]).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def shorten_waits(file: Path) -> None:
    """Shorten the time after which Dagster fails a run that was killed before it began."""
    shipped = file.read_text()
    short = re.sub(r"start_timeout_seconds: \d+", "start_timeout_seconds: 90", shipped)
    short = re.sub(r"poll_interval_seconds: \d+", "poll_interval_seconds: 5", short)
    assert short != shipped
    file.write_text(short)


@pytest.fixture
def trial(
    warehouse: Warehouse, clean_place: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> Iterator[Trial]:
    """A deployment over sixty days of an API that does not die with it."""
    with (
        Sandbox(today=TODAY, client_id=f"client-{seed}") as sandbox,
        Deployment(clean_place, MODULE) as deployment,
    ):
        point_at(sandbox, monkeypatch)
        shorten_waits(clean_place / "dagster.yaml")
        # made before webserver and daemon would both make it
        with dg.DagsterInstance.from_config(str(clean_place)) as instance:
            deployment.start("webserver")
            deployment.start("daemon")
            yield Trial(deployment, instance, sandbox, random.Random(seed))


@pytest.mark.parametrize(
    ("warehouse", "seed"), [("duckdb", 1), ("postgres", 2)], indirect=["warehouse"]
)
def test_after_four_kills_one_more_run_completes_the_table_and_leaves_no_lock(
    trial: Trial, warehouse: Warehouse, seed: int
) -> None:
    for victim in random.Random(seed).sample(VICTIMS, len(VICTIMS)):
        trial.kill(victim)
    instance, last = trial.instance, trial.launch()
    wait_until(lambda: not instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)), "the end of runs")
    run = instance.get_run_by_id(last)
    assert run
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))
    pool = instance.event_log_storage.get_concurrency_info(warehouse.pool(RESOURCE))
    assert (pool.claimed_slots, pool.pending_steps) == ([], [])
    with warehouse.loading("nobody_in_the_way", table=RESOURCE):
        pass
