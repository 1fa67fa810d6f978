"""Runs that overlap: loads in several processes at the same time end with the right content."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.partitions import backfill
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.lock_wait import LockWait
from analytics_assets.warehouse.table_lock import advisory_lock
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.loading import api_rows, failures_of, load, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

LONGEST_WINDOW = 92  # partitions: all in one
PATIENCE = 240  # seconds that loads may take on a busy machine


class Load(NamedTuple):
    """What is loaded in the Dagster instance of a folder, by a run with some tags."""

    home: Path
    resources: Sequence[str]
    tags: Mapping[str, str] | None = None
    longest_window: int = LONGEST_WINDOW


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
    longest_window: int,
    sender: Any,
) -> None:
    """Load in a Dagster instance that is set up as shipped, but for a short pause of backfills."""
    backfill.PAUSE = 1
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home)  # where the shipped file puts the history
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        barrier.wait(PATIENCE)
        api = in_windows_of(longest_window)
        sender.send(failures_of(load(instance, *resources, api=api, tags=tags)))


def in_windows_of(partitions: int) -> Api:
    """The analytics API, what is loaded by days cut into windows of some length."""
    policies = {name: entry.copy() for name, entry in API.policies.items()}
    for entry in policies.values():
        if isinstance(how := entry.get("load"), Partitioned):
            entry["load"] = replace(how, longest_window=partitions)
    return replace(API, policies=policies)


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
    command = [
        sys.executable,
        "-m",
        "analytics_assets_tests.support.command_line",
        "materialize",
        *TWO,
    ]
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


def scheduled_tags() -> Mapping[str, str]:
    """The tags of the run by days that its schedule asks for on the usual today."""
    definitions = build_definitions(API)
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC),
        repository_def=definitions.get_repository_def(),
    )
    tick = definitions.resolve_schedule_def(BY_DAY).evaluate_tick(context)
    [asked] = tick.run_requests or []
    return asked.tags


@contextmanager
def table_locked(warehouse: Warehouse, table: str) -> Iterator[None]:
    """Hold a table, as a load does, so that another one waits in its place in the pool."""
    name = f"the table {warehouse.qualified(table)}"
    with (
        warehouse.pipeline("test_holder").sql_client() as client,
        advisory_lock(client, name, "a test", LockWait(0)),
    ):
        yield


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_schedule_goes_between_the_windows_of_a_backfill_on_postgres(
    connected: Sandbox,
    postgres_warehouse: Warehouse,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resource, home = "traffic_sources", home_in(clean_place / "home")
    backfill = Load(home, [resource], longest_window=20)
    schedule = Load(home, [resource], scheduled_tags())
    monkeypatch.chdir(home)
    # made before there are two who would make its files in the same moment
    with (
        dg.DagsterInstance.from_config(str(home)) as instance,
        ThreadPoolExecutor(2) as processes,
    ):
        pool = postgres_warehouse.pool(resource)
        in_pool = partial(instance.event_log_storage.get_concurrency_info, pool)
        with table_locked(postgres_warehouse, resource):
            long = processes.submit(at_once, backfill)
            wait_until(lambda: in_pool().claimed_slots)
            short = processes.submit(at_once, schedule)
            wait_until(lambda: in_pool().pending_run_ids)
        assert (long.result(), short.result()) == ([{}], [{}])
        assert (in_pool().claimed_slots, in_pool().pending_steps) == ([], [])
    asked = [each.query for each in connected.requests if each.path == f"/v1/{resource}"]
    windows = list(dict.fromkeys(query["start_date"] for query in asked))
    assert windows == ["2025-07-02", "2025-07-28", "2025-07-22"]
    assert table_rows(postgres_warehouse, resource) == RIGHT[resource]
