"""The processes of `make serve`: their order, their settings, and how they stop."""

import fcntl
import http.client
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

import psutil

from analytics_assets.config.settings.look_up import look_up
from analytics_assets.redaction.url import without_credentials
from analytics_assets.warehouse.settings import warehouse_settings
from deploy.serve.postgres import PostgresServer
from deploy.serve.programs import POLL, Program, RunningProgram, StartError

DEPLOY = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
HISTORY = "DAGSTER_POSTGRES_URL"
WAREHOUSE = "DESTINATION__POSTGRES__CREDENTIALS"
RUN = "--multiprocessing-fork"  # in the command line of each process that executes a run
ENDING = 60  # seconds for a program to end in order, after which it is killed


class Deployment:
    """PostgreSQL, code location, webserver and daemon on this machine.

    Args:
        folder: the folder of the data and of what runs print.
        port: the port of the UI.
        code_port: the port of the code location.
    """

    def __init__(self, folder: Path, port: int, code_port: int) -> None:
        self._folder = folder
        self._port = port
        self._code_port = code_port
        self._running: list[RunningProgram] = []
        self._lock: TextIO | None = None  # held until this process ends

    def start(self, stopped: Callable[[], bool]) -> None:
        """Start all, in the order in which one needs the other, and wait until they serve.

        Args:
            stopped: whether somebody has asked for the end meanwhile.

        Raises:
            StartError: a program ends, a port is in use, or another one serves from the folder.
        """
        if self._port == self._code_port:
            raise StartError(f"PORT and CODE_PORT are both {self._port}; choose two")
        for port, variable in ((self._port, "PORT"), (self._code_port, "CODE_PORT")):
            if _is_open(port):
                raise StartError(f"port {port} is in use: {variable}={port + 1} make serve")
        self._lock_folder()
        ours = {
            "DAGSTER_HOME": str(DEPLOY),
            "DAGSTER_FILES": str(self._folder / "files"),
            "CODE_LOCATION_HOST": HOST,
            "CODE_LOCATION_PORT": str(self._code_port),
        }
        (self._folder / "files").mkdir(parents=True, exist_ok=True)
        server = None if os.environ.get(HISTORY) else PostgresServer(self._folder / "postgres")
        if server:
            ours[HISTORY] = server.url("dagster")
            if warehouse_settings().destination_type == "postgres" and not _has_credentials():
                ours[WAREHOUSE] = server.url("warehouse")
        os.environ |= ours
        self._note(ours)
        self._introduce()
        if server:
            self._run(server.program(), stopped)
            if not stopped():
                server.provide(["dagster", "warehouse"])
        if not stopped():
            _migrate()
        for program in self._programs():
            if not stopped():
                self._run(program, stopped)
        if not stopped():
            say(f"up: the Dagster UI is on http://{HOST}:{self._port}; Ctrl-C stops all")

    def watch(self) -> None:
        """Start again what has ended."""
        for running in self._running:
            running.watch()

    def stop(self, hurried: Callable[[], bool]) -> None:
        """Stop all, the first one last.

        Args:
            hurried: whether loads under way are to end now; their tables stay as they were.
        """
        if self._running:
            say("stopping: no run begins any more; Ctrl-C again ends those under way")
        for running in reversed(self._running):
            if running.program.name == "code":
                self._end_loads(running, hurried)
            running.stop()
            if not running.wait(ENDING):
                say(f"{running.program.name} does not end, and is killed")
            running.kill()
        if self._running:
            say("stopped")

    def _programs(self) -> Iterator[Program]:
        workspace = ["--workspace", str(DEPLOY / "workspace.yaml")]
        python = [sys.executable, "-m"]
        yield Program(
            "code",
            [*python, "dagster", "api", "grpc", "--module-name", "analytics_assets.definitions",
             "--host", HOST, "--port", str(self._code_port), "--location-name", "analytics_assets"],
            is_up=lambda: _is_open(self._code_port),
        )  # fmt: skip
        yield Program(
            "webserver",
            # it would answer 500 by connections that a restart of PostgreSQL has ended
            [*python, "dagster_webserver", *workspace, "--host", HOST, "--port", str(self._port),
             "--db-pool-recycle", "1"],
            is_up=self._is_served,
        )  # fmt: skip
        # at its usual level it logs each look of each sensor
        daemon = [*python, "dagster._daemon", "run", *workspace, "--log-level", "warning"]
        yield Program("daemon", daemon)

    def _run(self, program: Program, stopped: Callable[[], bool]) -> None:
        running = RunningProgram(program, say)
        self._running.append(running)
        running.wait_until_up(stopped)

    def _lock_folder(self) -> None:
        """Refuse a second daemon over one history, which would repeat what the first one does."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            raise StartError(
                f"{self._lock.read()} serves from {self._folder}: end it, or use another clone"
            ) from None
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()}")
        self._lock.flush()

    def _note(self, variables: Mapping[str, str]) -> None:
        """Write the variables for commands beside these processes: none of them is a secret."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        (self._folder / "environment").write_text("".join(lines))

    def _introduce(self) -> None:
        kind = warehouse_settings().destination_type
        say(f"history:   {without_credentials(os.environ[HISTORY])} ({HISTORY} takes another)")
        if kind == "duckdb":
            say("warehouse: duckdb, one load at a time; DESTINATION_TYPE=postgres takes PostgreSQL")
        else:
            where = os.environ.get(WAREHOUSE) if kind == "postgres" else None
            say(f"warehouse: {kind}" + (f", {without_credentials(where)}" if where else ""))

    def _is_served(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self._port}/server_info", timeout=5):
                return True
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False

    def _end_loads(self, code: RunningProgram, hurried: Callable[[], bool]) -> None:
        """Wait for the runs that the code location has started, or end them."""
        told = False
        while runs := code.processes(RUN):
            if hurried():
                say(f"runs under way: {len(runs)}; ending them")
                _end(runs)
                return
            if not told:
                say(f"runs under way: {len(runs)}; waiting for them")
                told = True
            time.sleep(POLL)


def say(text: str) -> None:
    """Print a line of `make serve` itself."""
    print(f"serve    | {text}", flush=True)  # noqa: T201


def _migrate() -> None:
    """Make or update the tables of the history, once: webserver and daemon at once can fail."""
    command = [sys.executable, "-m", "dagster", "instance", "migrate"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartError(f"the history could not be set up:\n{done.stdout}{done.stderr}")


def _end(runs: list[psutil.Process]) -> None:
    for run in runs:
        try:
            run.terminate()
        except psutil.NoSuchProcess:
            continue
    _, left = psutil.wait_procs(runs, ENDING)
    for run in left:
        run.kill()


def _has_credentials() -> bool:
    return bool(look_up("credentials", "destination", "postgres")) or any(
        name.startswith(WAREHOUSE) for name in os.environ
    )


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=5):
            return True
    except OSError:
        return False
