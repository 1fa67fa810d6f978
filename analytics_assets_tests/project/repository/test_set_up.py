"""Set-up by make: any Python from 3.11 on, and a clear message for others."""

import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets_tests.conftest import ROOT


def test_a_python_that_is_too_old_is_refused_with_a_message(tmp_path: Path) -> None:
    too_old = tmp_path / "python3.10"
    too_old.write_text("#!/bin/sh\nexit 1\n")  # fails the comparison of versions
    too_old.chmod(0o755)
    makefile = ["make", "--file", str(ROOT / "Makefile"), "materialize", f"PYTHON={too_old}"]
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    done = subprocess.run(makefile, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "Python 3.11 or newer is needed; run make with PYTHON=" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_the_terminal_of_make_dev_has_what_runs_log_and_warnings_alone(
    clean_place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())

    @dg.op
    def load(context: dg.OpExecutionContext) -> None:
        context.log.info("loaded 12 rows")

    @dg.job
    def loads() -> None:
        load()

    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        result = loads.execute_in_process(instance=instance)
    assert len(list(instance.all_logs(result.run_id))) > 5
    [captured] = clean_place.rglob("*.err")
    # the process that copies it to the terminal is ended before it has, if the machine is busy
    shown = captured.read_text() + capfd.readouterr().err
    [line] = set(shown.splitlines())
    assert line.endswith("loaded 12 rows")


def test_make_dev_prints_its_address_and_no_warning_about_the_command_itself() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "dev", "PORT=3001"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    [_, address, start] = [line for line in done.stdout.splitlines() if "127.0.0.1" in line]
    assert address.startswith('echo "The Dagster UI is on http://127.0.0.1:3001 ')
    assert start.endswith("dev --host 127.0.0.1 --port 3001 --log-level warning")


def test_make_dev_refuses_a_port_that_is_in_use_before_it_names_the_address(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    installed = ".venv/installed-{}.{}".format(*sys.version_info)
    for name in ("pyproject.toml", "constraints.txt", installed):
        (tmp_path / name).touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            ["make", "--file", str(ROOT / "Makefile"), "dev", f"PORT={port}"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode
    assert done.stdout == f"Port {port} is in use; choose another one: PORT=3001 make dev\n"
