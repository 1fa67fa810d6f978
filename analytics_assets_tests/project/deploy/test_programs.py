"""Programs of `make serve`: start, restart, and end in order."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.deployment import wait_until
from deploy.serve.deployment import HISTORY, RUN, Deployment
from deploy.serve.programs import Program, RunningProgram, StartError

FOREVER = "while :; do sleep 0.05; done"
OPTIONS = ("--dry-run", "--always-make", "--no-print-directory")


def shell(script: str, *, name: str = "shell", stop: str = "SIGTERM") -> Program:
    return Program(name, ["sh", "-c", script], stop=stop)


def test_a_program_that_ends_is_started_again_later_and_later() -> None:
    said: list[str] = []
    running = RunningProgram(shell("exit 3"), said.append)

    def ended_thrice() -> bool:
        running.watch()
        return len(said) == 3

    wait_until(ended_thrice, "the third end")
    assert said == [
        f"shell has ended, with exit code 3; it starts again in {pause} s" for pause in (1, 2, 4)
    ]


def test_a_program_that_was_killed_runs_again_as_another_process() -> None:
    said: list[str] = []
    running = RunningProgram(shell(FOREVER), said.append)
    first = running.process.pid
    os.kill(first, signal.SIGKILL)

    def runs_again() -> bool:
        running.watch()
        return running.process.pid != first and psutil.pid_exists(running.process.pid)

    wait_until(runs_again, "another start")
    assert said == ["shell has ended, with signal SIGKILL; it starts again in 1 s"]
    running.kill()


def test_what_a_killed_program_has_started_is_found_and_ended(tmp_path: Path) -> None:
    running = RunningProgram(
        shell(f"sh -c 'exec sleep 600' & echo $! > {tmp_path}/pid; {FOREVER}"), lambda _: None
    )
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "a child")
    child = psutil.Process(int((tmp_path / "pid").read_text()))
    wait_until(lambda: child.cmdline()[:1] == ["sleep"], "the child's program")
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait()
    assert running.processes("600") == [child]
    running.kill()
    wait_until(lambda: not child.is_running() or child.status() == "zombie", "the child's end")


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN])
def of_background_jobs(request: pytest.FixtureRequest) -> Iterator[None]:
    """SIGINT as a shell leaves it, and ignored, as for jobs in the background of a script."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("of_background_jobs")
def test_a_program_is_ended_by_its_own_signal_and_says_what_it_has_to(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = f"trap 'echo last words; exit 0' INT; touch {tmp_path}/up; {FOREVER}"
    running = RunningProgram(shell(script, name="postgres", stop="SIGINT"), lambda _: None)
    wait_until((tmp_path / "up").exists, "the trap")
    running.stop()
    assert running.wait(60)
    printed: list[str] = []

    def said() -> bool:
        printed.append(capfd.readouterr().out)
        return "postgres | last words" in "".join(printed)

    wait_until(said, "its last words")


def test_a_program_that_ends_before_it_serves_fails_the_start() -> None:
    program = Program("code", ["sh", "-c", "exit 4"], is_up=lambda: False)
    with pytest.raises(StartError, match="code ended at its start, with exit code 4"):
        RunningProgram(program, lambda _: None).wait_until_up(lambda: False)


def test_a_port_in_use_is_named_with_the_way_to_take_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} is in use: PORT={port + 1} make serve"):
            Deployment(tmp_path, port, 0).start(lambda: False)
    assert not list(tmp_path.iterdir())


def test_one_port_for_both_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="PORT and CODE_PORT are both 3001"):
        Deployment(tmp_path, 3001, 3001).start(lambda: False)
    assert not list(tmp_path.iterdir())


def test_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Both would use the first one's PostgreSQL, and the second daemon repeats its ticks."""
    first, second = Deployment(tmp_path, 0, 1), Deployment(tmp_path, 2, 3)
    first._lock_folder()
    with pytest.raises(StartError, match=f"process {os.getpid()} serves from {tmp_path}"):
        second._lock_folder()


def test_commands_beside_it_take_its_variables_from_a_file(tmp_path: Path) -> None:
    variables = {"DAGSTER_POSTGRES_URL": "postgresql://localhost/dagster?host=/a b/it's&port=1"}
    Deployment(tmp_path, 0, 1)._note(variables)
    script = f'. "{tmp_path}/environment"; printenv DAGSTER_POSTGRES_URL'
    assert subprocess.check_output(["sh", "-c", script], text=True).strip() == variables[HISTORY]


def test_what_answers_without_http_is_no_webserver(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"no HTTP\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert not Deployment(tmp_path, port, 0)._is_served()
        thread.join()


def test_make_serve_installs_what_it_needs_and_starts_it_on_the_ports_that_are_given() -> None:
    made = subprocess.run(
        ["make", *OPTIONS, "serve", "PORT=3001", "CODE_PORT=4001"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    commands = made.stdout.splitlines()
    assert commands[-1].endswith("python -m deploy.serve --port 3001 --code-port 4001")
    assert any("--editable '.[serve]'" in command for command in commands)


def test_the_end_waits_for_runs_until_somebody_asks_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = f"{sys.executable} -c 'import time; time.sleep(600)' {RUN}"
    code = RunningProgram(shell(f"{run} & {FOREVER}", name="code"), lambda _: None)
    wait_until(lambda: code.processes(RUN), "a run")
    [process] = code.processes(RUN)
    deployment = Deployment(tmp_path, 0, 0)
    deployment._running.append(code)
    asked = iter([False, False, False])
    deployment.stop(lambda: next(asked, True))
    said = [line for line in capfd.readouterr().out.splitlines() if line.startswith("serve")]
    assert said == [
        "serve    | stopping: no run begins any more; Ctrl-C again ends those under way",
        "serve    | runs under way: 1; waiting for them",
        "serve    | runs under way: 1; ending them",
        "serve    | stopped",
    ]
    assert not process.is_running() or process.status() == "zombie"
    assert code.process.poll() is not None
