"""Runs that overlap: loads in several processes at the same time end with the right content."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from analytics_assets.api import API
from analytics_assets.definitions import build_definitions
from analytics_assets.sandbox import Sandbox, sandbox_rows
from analytics_assets.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.loading import api_rows, failures_of, load, table_rows

PATIENCE = 240  # seconds that loads may take on a busy machine


class Load(NamedTuple):
    """What is loaded in the Dagster instance of a folder, by a run with some tags."""

    home: Path
    resources: Sequence[str]
    tags: Mapping[str, str] | None = None


def at_once(*loads: Load) -> list[dict[str, str]]:
    """Load in processes of their own that begin at the same time; return why steps failed."""
    # a fork of this process would inherit locks of threads that it does not have
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["analytics_assets_tests.loading"])
    barrier = context.Barrier(len(loads))
    pipes = [context.Pipe(duplex=False) for _ in loads]
    processes = [
        context.Process(target=begin, args=(dict(os.environ), barrier, *each, sender))
        for each, (_, sender) in zip(loads, pipes, strict=True)
    ]
    for process in processes:
        process.start()
    for _, sender in pipes:
        sender.close()  # so that the end of a process ends the wait for what it has to say
    try:
        return [receiver.recv() for receiver, _ in pipes if receiver.poll(PATIENCE)]
    finally:
        for process in processes:
            process.join(PATIENCE)
            process.kill()


def begin(
    environment: dict[str, str],
    barrier: Any,
    home: Path,
    resources: Sequence[str],
    tags: Mapping[str, str] | None,
    sender: Any,
) -> None:
    """Load in a Dagster instance that is set up as shipped."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home)  # where the shipped file puts the history
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        barrier.wait(PATIENCE)
        sender.send(failures_of(load(instance, *resources, tags=tags)))


def home_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return folder


BY_DAY = "analytics_cron_0_6_by_day"
TWO = ("page_views", "website_overview")
RIGHT = {resource: api_rows(sandbox_rows(resource, TODAY)) for resource in API.resources}


def contents(warehouse: Warehouse, resources: Sequence[str]) -> dict[str, Any]:
    return {resource: table_rows(warehouse, resource) for resource in resources}


def test_two_commands_at_once_in_a_fresh_clone_end_with_the_right_content(
    connected: Sandbox,
    warehouse: Warehouse,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = home_in(clean_place / "home")
    monkeypatch.chdir(home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    command = [sys.executable, "-m", "analytics_assets_tests.command_line", "materialize", *TWO]
    commands = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    said = [running.communicate(timeout=PATIENCE)[0] for running in commands]
    assert [running.returncode for running in commands] == [0, 0], "\n".join(said)
    assert contents(warehouse, TWO) == {resource: RIGHT[resource] for resource in TWO}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        statuses = [run.status for run in instance.get_runs()]
        assert statuses == [dg.DagsterRunStatus.SUCCESS] * 4
        for resource in TWO:
            pool = instance.event_log_storage.get_concurrency_info(warehouse.pool(resource))
            assert (pool.claimed_slots, pool.pending_steps) == ([], [])


def test_two_runs_at_once_in_instances_that_do_not_know_each_other_end_with_the_right_content(
    connected: Sandbox, warehouse: Warehouse, clean_place: Path
) -> None:
    homes = [home_in(clean_place / name) for name in ("one", "other")]
    assert at_once(*(Load(home, TWO) for home in homes)) == [{}, {}]
    assert not [path for path in warehouse.pipelines_dir.iterdir() if path.is_dir()]
    assert contents(warehouse, TWO) == {resource: RIGHT[resource] for resource in TWO}


def test_on_postgres_the_first_loads_of_all_tables_at_once_make_one_schema(
    connected: Sandbox, postgres_warehouse: Warehouse, clean_place: Path
) -> None:
    loads = [Load(home_in(clean_place / resource), [resource]) for resource in API.resources]
    assert at_once(*loads) == [{}] * len(loads)
    assert contents(postgres_warehouse, API.resources) == RIGHT


def test_a_schedule_and_a_backfill_at_once_on_postgres_end_with_the_right_content(
    connected: Sandbox,
    postgres_warehouse: Warehouse,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definitions = build_definitions(API)
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC),
        repository_def=definitions.get_repository_def(),
    )
    tick = definitions.resolve_schedule_def(BY_DAY).evaluate_tick(context)
    [asked] = tick.run_requests or []
    resources = [key.path[-1] for key in asked.asset_selection or ()]
    home = home_in(clean_place / "home")
    backfill, schedule = Load(home, resources), Load(home, resources, asked.tags)
    monkeypatch.chdir(home)
    # made before there are two who would make its files in the same moment
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert at_once(backfill, schedule) == [{}, {}]
        for resource in resources:
            pool = instance.event_log_storage.get_concurrency_info(
                postgres_warehouse.pool(resource)
            )
            assert (pool.claimed_slots, pool.pending_steps) == ([], [])
    assert contents(postgres_warehouse, resources) == {name: RIGHT[name] for name in resources}
