"""Runs that overlap: loads in several processes at the same time end with the right content."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.loading import api_rows, failures_of, load, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

PATIENCE = 600  # seconds that loads may take on a busy machine


class Load(NamedTuple):
    """A load of some resources in the Dagster instance of a folder."""

    home: Path
    resources: Sequence[str]


def at_once(*loads: Load) -> list[dict[str, str]]:
    """Load in processes of their own that begin at the same time; return why steps failed."""
    # a fork of this process would inherit locks of threads that it does not have
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["analytics_assets_tests.support.loading"])
    barrier = context.Barrier(len(loads))
    pipes = [context.Pipe(duplex=False) for _ in loads]
    processes = [
        context.Process(target=begin, args=(dict(os.environ), barrier, *each, sender))
        for each, (_, sender) in zip(loads, pipes, strict=True)
    ]
    for process in processes:
        process.start()
    for _, sender in pipes:
        sender.close()  # so that the end of a process ends the wait for its message
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
    sender: Any,
) -> None:
    """Load in a Dagster instance that is set up as shipped."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home)  # where the shipped file puts the history
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        barrier.wait(PATIENCE)
        sender.send(failures_of(load(instance, *resources)))


def home_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return folder


TWO = ("page_views", "website_overview")
RIGHT = {resource: api_rows(sandbox_rows(resource, TODAY)) for resource in API.resources}


def contents(warehouse: Warehouse, resources: Sequence[str]) -> dict[str, Any]:
    return {resource: table_rows(warehouse, resource) for resource in resources}


def test_two_commands_at_once_in_a_fresh_clone_end_with_the_right_content(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = home_in(clean_place / "home")
    monkeypatch.chdir(home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    command = [
        sys.executable,
        "-m",
        "analytics_assets_tests.cli.command_line",
        "materialize",
        *TWO,
    ]
    commands = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    outputs = [running.communicate(timeout=PATIENCE)[0] for running in commands]
    assert [running.returncode for running in commands] == [0, 0], "\n".join(outputs)
    assert contents(duckdb_warehouse, TWO) == {resource: RIGHT[resource] for resource in TWO}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        statuses = [run.status for run in instance.get_runs()]
        # of each command a run of each kind of load, and one of load_health
        assert statuses == [dg.DagsterRunStatus.SUCCESS] * 6
        for resource in TWO:
            pool = instance.event_log_storage.get_concurrency_info(duckdb_warehouse.pool(resource))
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
    assert contents(postgres_warehouse, list(API.resources)) == RIGHT
