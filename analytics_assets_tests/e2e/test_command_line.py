"""The command line in a process of its own: a whole load, Ctrl-C, and kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.command_line import BY_DAYS, summary
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

COMMAND = [sys.executable, "-m", "analytics_assets_tests.cli.command_line"]
PATIENCE = 120  # seconds that a command may take on a busy machine


@pytest.fixture
def environment(clean_place: Path) -> Mapping[str, str]:
    """The environment of a folder with `dagster.yaml` as shipped, which has the history."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return {}


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
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
        done = run(environment, "materialize")
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


@pytest.mark.parametrize("stage", ["reading from", "extracted"])
def test_ctrl_c_ends_the_command_at_once_with_one_sentence(
    environment: Mapping[str, str], connected: Sandbox, duckdb_warehouse: Warehouse, stage: str
) -> None:
    command = subprocess.Popen(
        [*COMMAND, "materialize", "--verbose", "traffic_sources"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # a shell starts background jobs, which a test run may be, with this signal ignored
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert command.stdout
    for line in command.stdout:
        if stage in line:
            break
    os.killpg(command.pid, signal.SIGINT)
    output = command.communicate(timeout=PATIENCE)[0]
    assert command.returncode == 130
    assert "Interrupted. Loaded tables stay, the next run loads the rest." in output
    assert "Traceback" not in output
    done = run(environment, "materialize", "traffic_sources")
    assert done.returncode == 0, done.stdout + done.stderr


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
    done = run(environment, "materialize", "traffic_sources")
    assert done.returncode == 0, done.stdout + done.stderr
    assert table_rows(duckdb_warehouse, "traffic_sources") == api_rows(
        sandbox_rows("traffic_sources", TODAY)
    )
