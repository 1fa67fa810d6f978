"""The command line, run as a user runs it: in a process of its own."""

import os
import re
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
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.project import copy_project
from analytics_assets_tests.support.sandbox import Sandbox

COMMAND = [sys.executable, "-m", "analytics_assets_tests.support.command_line"]
PATIENCE = 120  # seconds that a command may take on a busy machine
BY_DAYS = ("website_overview", "traffic_sources")


@pytest.fixture
def environment(clean_place: Path) -> Mapping[str, str]:
    """That of a folder with dagster.yaml as shipped, where the history is found and kept."""
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


def summary(output: str) -> dict[str, list[str]]:
    """Return the cells of the table at the end, by asset."""
    lines = [line.split() for line in output.splitlines() if line.strip().startswith("analytics/")]
    return {cells[0].removeprefix("analytics/"): cells[1:] for cells in lines}


def test_materialize_loads_everything_then_what_is_due_and_ends_with_a_table_and_the_place(
    environment: Mapping[str, str], warehouse: Warehouse
) -> None:
    # what the second command reads again, from these days on
    lookback = {"daily_active_users": "2025-07-29", **dict.fromkeys(BY_DAYS, "2025-07-28")}
    for again in (False, True):
        done = run(environment, "materialize")
        assert done.returncode == 0, done.stderr
        cells = summary(done.stdout)
        assert cells.keys() == set(API.resources)
        for resource, (partitions, loaded, in_table, newest, seconds) in cells.items():
            rows = sandbox_rows(resource, TODAY)
            begin = lookback.get(resource, "") if again else ""
            column = "date" if resource in BY_DAYS else "updated_at"
            assert int(loaded) == len([row for row in rows if row[column] >= begin])
            days = ("4" if again else "30") if resource in BY_DAYS else "-"
            assert partitions == days
            assert int(in_table) == len(rows)
            assert newest == max(row["date"] for row in rows)
            assert float(seconds) > 0
        place = warehouse.duckdb_file or warehouse.destination_type
        assert f"Warehouse: {place}, dataset analytics" in done.stdout
        for resource in API.resources:
            assert table_rows(warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))


def test_a_failed_resource_shows_in_the_table_with_its_reason(
    environment: Mapping[str, str], connected: Sandbox, warehouse: Warehouse
) -> None:
    connected.faults.add(Fault(path="/v1/traffic_sources", times=None, status=403))
    done = run(environment, "materialize", "traffic_sources", "page_views")
    assert done.returncode == 1
    cells = summary(done.stdout)
    assert cells["traffic_sources"][1] == "failed"
    assert int(cells["page_views"][1]) == len(sandbox_rows("page_views", TODAY))
    assert "traffic_sources was not loaded" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.usefixtures("connected", "postgres_warehouse")
def test_a_warehouse_that_cannot_be_reached_is_said_in_a_sentence(
    environment: Mapping[str, str],
) -> None:
    nobody = {"DESTINATION__POSTGRES__CREDENTIALS": "postgresql://me:my-secret@127.0.0.1:1/none"}
    done = run({**environment, **nobody}, "materialize", "page_views")
    assert done.returncode == 1
    assert "The warehouse cannot be opened: connection to server" in done.stderr
    assert "Traceback" not in done.stderr
    assert "my-secret" not in done.stdout + done.stderr


def test_it_is_said_where_no_history_is_kept(connected: Sandbox, warehouse: Warehouse) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=403))
    assert "DAGSTER_HOME is not set" in run({}, "materialize", "page_views").stdout


def test_an_unknown_resource_is_refused_with_the_known_ones(
    environment: Mapping[str, str],
) -> None:
    done = run(environment, "materialize", "trafic_sources")
    assert done.returncode == 2
    assert "no resource trafic_sources" in done.stderr
    assert "traffic_sources" in done.stderr


def test_check_signs_in_and_reads_one_page_of_each_resource(
    environment: Mapping[str, str], connected: Sandbox
) -> None:
    done = run(environment, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    first, *others = done.stdout.splitlines()
    assert first == f"Asking {connected.base_url} ..."
    days = "start_date=2025-07-28, end_date=2025-07-31"
    asked = dict.fromkeys(BY_DAYS, f" for {days}, none of them outside of that")
    asked["daily_active_users"] = " for updated_since=2025-01-01T00:00:00Z"
    for name, line in zip(API.resources, others, strict=True):
        rows = sandbox_rows(name, TODAY)
        if name in BY_DAYS:
            rows = [row for row in rows if row["date"] >= "2025-07-28"]
        count = min(100, len(rows))
        assert line == f"{name}: {count} rows on the first page{asked.get(name, '')}"


def test_check_fails_for_a_resource_whose_rows_lack_what_api_py_names(
    environment: Mapping[str, str], connected: Sandbox, clean_place: Path
) -> None:
    api = copy_project(clean_place) / "api.py"
    api.write_text(api.read_text().replace('"primary_key": "id"', '"primary_key": "uuid"'))
    done = run({**environment, "PYTHONPATH": str(clean_place)}, "check")
    assert done.returncode == 1
    for name, line in zip(API.resources, done.stdout.splitlines()[1:], strict=True):
        assert line.startswith(f"{name}: of the ")
        assert "none has a value in `uuid`: set `primary_key`" in line


def test_check_says_once_of_which_resource_it_speaks(
    environment: Mapping[str, str], connected: Sandbox
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=404))
    done = run(environment, "check")
    assert done.returncode == 1
    assert f"\npage_views: GET {connected.base_url}/v1/page_views" in done.stdout


def test_check_says_what_is_wrong(
    environment: Mapping[str, str], connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "wrong-secret-marker")
    done = run(environment, "check")
    assert done.returncode == 1
    assert "invalid_client" in done.stdout
    assert "wrong-secret-marker" not in done.stdout + done.stderr


@pytest.mark.parametrize("stage", ["Reading", "Normalize"])
def test_ctrl_c_ends_the_command_at_once_with_one_sentence(
    environment: Mapping[str, str], connected: Sandbox, warehouse: Warehouse, stage: str
) -> None:
    command = subprocess.Popen(
        [*COMMAND, "materialize", "--verbose"],
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
    said = command.communicate(timeout=PATIENCE)[0]
    assert command.returncode == 130
    assert "Interrupted. Loaded tables stay, the next run loads the rest." in said
    assert "Traceback" not in said
    done = run(environment, "materialize")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_in_the_configuration_is_said_in_a_sentence(
    environment: Mapping[str, str], clean_place: Path
) -> None:
    api = copy_project(clean_place) / "api.py"
    api.write_text(api.read_text().replace('"schedule": "0 6 * * *"', '"schedul": "0 6 * * *"'))
    done = run({**environment, "PYTHONPATH": str(clean_place)}, "materialize")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "Error: policy of `website_overview`: unknown key 'schedul'; did you mean `schedule`?"
    )
    assert "Traceback" not in done.stderr


def test_a_part_of_a_policy_that_cannot_be_is_said_with_its_line(
    environment: Mapping[str, str], clean_place: Path
) -> None:
    api = copy_project(clean_place) / "api.py"
    lines = api.read_text().splitlines()
    [number] = [number for number, line in enumerate(lines) if line.startswith("BY_DAY = ")]
    lines[number] = lines[number].replace("date(2025, 7, 2)", "'2025-07-02'")
    api.write_text("\n".join(lines))
    done = run({**environment, "PYTHONPATH": str(clean_place)}, "check")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: `Partitioned`: `start` cannot be '2025-07-02'")
    assert done.stderr.rstrip().endswith(f"See line {number + 1} of api.py.")


@pytest.mark.parametrize("stage", ["Reading", "Extract analytics", "Normalize", "Load analytics"])
def test_a_load_that_was_killed_is_made_good_by_the_next_one(
    environment: Mapping[str, str], connected: Sandbox, warehouse: Warehouse, stage: str
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
    assert table_rows(warehouse, "traffic_sources") == api_rows(
        sandbox_rows("traffic_sources", TODAY)
    )


def test_help_names_the_commands(environment: Mapping[str, str]) -> None:
    done = run(environment, "--help")
    assert set(re.findall(r"^  (\w+) ", done.stdout, re.MULTILINE)) >= {"check", "materialize"}
