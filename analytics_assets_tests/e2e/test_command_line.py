"""The command line in a process of its own: a whole load, Ctrl-C, and kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import dagster as dg
import psutil
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.command_line import BY_DAYS, summary
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

COMMAND = [sys.executable, "-m", "analytics_assets_tests.cli.command_line"]
PATIENCE = 120  # seconds that a command may take on a busy machine


@pytest.fixture
def environment(clean_place: Path) -> Mapping[str, str]:
    """The environment of a folder with `dagster.yaml` as shipped, which has the history."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return {}


def run_command(
    environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the command and wait for its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )


def test_materialize_loads_all_then_what_is_due_and_prints_the_outcome(
    environment: Mapping[str, str], duckdb_warehouse: Warehouse
) -> None:
    # the second command reads again from these days on
    lookback = {"daily_active_users": "2025-07-29", **dict.fromkeys(BY_DAYS, "2025-07-28")}
    for again in (False, True):
        done = run_command(environment, "materialize")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Starting ...\n")
        assert "\x1b" not in done.stdout
        assert "\r" not in done.stdout
        assert "\nAutomation on: analytics_checks, alerts, housekeeping; off: " in done.stdout
        cells = summary(done.stdout)
        assert cells.keys() == set(API.resources)
        for resource, (partitions, loaded, in_table, newest, time) in cells.items():
            rows = sandbox_rows(resource, TODAY)
            begin = lookback.get(resource, "") if again else ""
            column = "date" if resource in BY_DAYS else "updated_at"
            assert loaded == f"{len([row for row in rows if row[column] >= begin]):,}"
            days = ("4" if again else "30") if resource in BY_DAYS else "-"
            assert partitions == days
            assert in_table == f"{len(rows):,}"
            assert newest == max(row["date"] for row in rows)
            assert time.endswith(" s")
        place = duckdb_warehouse.duckdb_file
        assert f"Warehouse: {place}, dataset analytics" in done.stdout
        for resource in API.resources:
            assert table_rows(duckdb_warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}
# the first process in a namespace of process numbers, as in a container: it gets no signal that it
# has no handler for
AS_PROCESS_1 = [
    *("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--uts"),
    *("sh", "-c", 'hostname "$0" && exec "$@"'),
]


def started(environment: Mapping[str, str], *command: str) -> subprocess.Popen[str]:
    """Start a command whose output is read."""
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # a shell starts background jobs, which a test run may be, with this signal ignored
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def read_up_to(stage: str, command: subprocess.Popen[str]) -> None:
    assert command.stdout
    for line in command.stdout:
        if stage in line:
            break


@pytest.mark.parametrize(
    ("place", "number", "stage"),
    [
        ([], signal.SIGINT, "reading from"),
        ([], signal.SIGTERM, "extracted"),
        ([*AS_PROCESS_1, "first"], signal.SIGTERM, "reading from"),
    ],
)
def test_ctrl_c_and_sigterm_end_the_command_at_once_and_others_can_load(
    environment: Mapping[str, str],
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    clean_place: Path,
    place: list[str],
    number: signal.Signals,
    stage: str,
) -> None:
    if stage == "reading from":
        connected.faults.add(Fault(path="/v1/traffic_sources", times=None, delay=PATIENCE))
    command = started(environment, *place, *COMMAND, "materialize", "--verbose", "traffic_sources")
    read_up_to(stage, command)
    own = psutil.Process(command.pid)
    for each in own.children() if place else [own]:
        each.send_signal(number)
    output = command.communicate(timeout=PATIENCE)[0]
    assert command.returncode == SIGNALS[number]
    assert "Interrupted. Loaded tables stay, the next run loads the rest." in output
    assert "Traceback" not in output
    with dg.DagsterInstance.from_config(str(clean_place)) as history:
        newest, *before = history.get_run_records()
        assert newest.dagster_run.status == dg.DagsterRunStatus.CANCELED
        assert not [each for each in before if not each.dagster_run.is_finished]
        pools = history.event_log_storage
        slots = [pools.get_concurrency_info(pool) for pool in pools.get_concurrency_keys()]
        assert slots
        assert not [slot for slot in slots if slot.claimed_slots or slot.pending_steps]
    connected.faults.clear()
    done = run_command({**environment, "LOCK_PATIENCE": "0"}, "materialize", "traffic_sources")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = api_rows(sandbox_rows("traffic_sources", TODAY))
    assert table_rows(duckdb_warehouse, "traffic_sources") == rows


@pytest.mark.parametrize("stage", ["reading from", "normalized"])
def test_the_load_after_a_killed_one_completes_the_table(
    environment: Mapping[str, str], connected: Sandbox, duckdb_warehouse: Warehouse, stage: str
) -> None:
    killed = subprocess.Popen(
        [*COMMAND, "materialize", "--verbose", "traffic_sources"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert killed.stderr
    for line in killed.stderr:
        if stage in line:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    done = run_command(environment, "materialize", "traffic_sources")
    assert done.returncode == 0, done.stdout + done.stderr
    assert table_rows(duckdb_warehouse, "traffic_sources") == api_rows(
        sandbox_rows("traffic_sources", TODAY)
    )
