"""Dagster's run monitoring ends runs that take too long, as `dagster.yaml` and a tag say."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from analytics_assets_tests.conftest import ROOT

TAG = "dagster/max_runtime"
DAY = 24 * 60 * 60


@dg.job
def job() -> None:
    """A job whose runs are created, but not executed."""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance that is set up as shipped."""
    folder = tmp_path_factory.mktemp("home")
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_bytes())
    settings["storage"]["custom"]["config"]["base_dir"] = str(folder)
    (folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance


def test_a_run_has_a_day() -> None:
    for file in (ROOT / "dagster.yaml", ROOT / "deploy" / "dagster.yaml"):
        settings = yaml.safe_load(Path(file).read_bytes())["run_monitoring"]
        assert (settings["enabled"], settings["max_runtime_seconds"]) == (True, DAY)


@pytest.mark.parametrize(
    ("tags", "is_ended"), [({}, False), ({TAG: "0.000001"}, True), ({TAG: "0"}, False)]
)
def test_a_run_without_a_process_fails_after_its_time(
    shipped: dg.DagsterInstance, tags: Mapping[str, str], is_ended: bool
) -> None:
    run = shipped.create_run_for_job(job, tags=tags)
    begun = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name="job")
    shipped.report_dagster_event(begun, run.run_id)
    record = shipped.get_run_record_by_id(run.run_id)
    assert record
    workspace: Any = None  # of launchers that know a run's process

    monitor_started_run(shipped, workspace, record, logging.getLogger(__name__))

    after = shipped.get_run_by_id(run.run_id)
    assert after
    assert (after.status is dg.DagsterRunStatus.FAILURE) == is_ended
