"""Dagster as it is deployed: a webserver, a daemon, and runs in processes of their own."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import requests

from analytics_assets_tests.conftest import ROOT

PATIENCE = 600  # seconds in which a busy machine brings up what is waited for
LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
BACKFILL = """
mutation Backfill($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
REEXECUTE = """
mutation Reexecute($parameters: ReexecutionParams!) {
  reexecutePartitionBackfill(reexecutionParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
TERMINATE = """
mutation Terminate($run: String!) {
  terminateRun(runId: $run, terminatePolicy: SAFE_TERMINATE) {
    __typename
    ... on TerminateRunFailure { message }
    ... on PythonError { message }
  }
}
"""
PORTS = range(20_000, 30_000)  # below those of outgoing connections
PROGRAMS = {"daemon": ["dagster._daemon", "run"], "webserver": ["dagster_webserver"]}


def free_port() -> int:
    """Return a port of this machine that nobody listens on now.

    It is none of those that outgoing connections have, which could take it before its server does.
    """
    for port in random.sample(PORTS, len(PORTS)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError(f"There is no free port in {PORTS}")


def wait_until(happened: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Return what `happened` gives as soon as that is something."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if result := happened():
            return result
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {patience:.0f} s")


class Deployment:
    """The webserver and the daemon of an instance that is set up as shipped.

    Args:
        home: the folder of the instance, in which the programs are started.
        module: the module with the definitions.
        settings: the content of `dagster.yaml`; None for that of a laptop.
    """

    def __init__(self, home: Path, module: str, settings: str | None = None) -> None:
        self.home = home
        self._settings = settings or (ROOT / "dagster.yaml").read_text()
        self._module = module
        self._started: list[subprocess.Popen[bytes]] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._port = free_port()

    def __enter__(self) -> "Deployment":
        (self.home / "dagster.yaml").write_text(self._settings)
        (self.home / "workspace.yaml").write_text(
            f"load_from:\n  - python_module:\n      module_name: {self._module}\n"
            "      location_name: tests\n"
        )
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            for member in [each for each in psutil.process_iter() if _is_of(each, process.pid)]:
                member.kill()
            process.wait()

    def start(self, program: str) -> None:
        """Start the daemon or the webserver."""
        address = ["--host", "127.0.0.1", "--port", str(self._port)]
        with (self.home / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", *PROGRAMS[program], "-w", "workspace.yaml"),
                    *(address if program == "webserver" else ()),
                ],
                cwd=self.home,
                env={**os.environ, "DAGSTER_HOME": str(self.home)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        self._running[program] = process

    def kill(self, program: str) -> None:
        """Kill the daemon or the webserver, and leave what it has started to itself."""
        self._running[program].send_signal(signal.SIGKILL)
        self._running[program].wait()

    def launch(self, assets: Sequence[str], job: str, tags: Mapping[str, str]) -> str:
        """Ask the webserver for a run, as its pages do, and return the run's id."""
        parameters = {
            "selector": {
                "repositoryLocationName": "tests",
                "repositoryName": "__repository__",
                "jobName": job,
                "assetSelection": [{"path": asset.split("/")} for asset in assets],
            },
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in tags.items()]
            },
        }

        def launched() -> str | None:
            run = self.ask(LAUNCH, parameters=parameters)["launchRun"].get("run")
            return str(run["runId"]) if run else None

        return str(wait_until(launched, "a launch"))

    def backfill(self, asset: str, partitions: Sequence[str]) -> str:
        """Ask the webserver for a backfill, as its pages do, and return the backfill's id."""
        parameters = {
            "assetSelection": [{"path": asset.split("/")}],
            "partitionNames": list(partitions),
        }

        def launched() -> str | None:
            answer = self.ask(BACKFILL, parameters=parameters)["launchPartitionBackfill"]
            return str(answer["backfillId"]) if "backfillId" in answer else None

        return str(wait_until(launched, "a backfill"))

    def reexecute_backfill(self, backfill: str) -> str:
        """Ask for what a backfill has not loaded, as *Re-execute* does, and return the new id."""
        parameters = {"parentRunId": backfill, "strategy": "FROM_FAILURE"}
        answer = self.ask(REEXECUTE, parameters=parameters)["reexecutePartitionBackfill"]
        return str(answer["backfillId"])

    def terminate(self, run: str) -> None:
        """Ask for the end of a run, as *Terminate* does."""
        answer = self.ask(TERMINATE, run=run)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the data that the webserver gives for a query, once it is up."""

        def answered() -> Any:
            try:
                return requests.post(
                    f"http://127.0.0.1:{self._port}/graphql",
                    json={"query": query, "variables": variables},
                    timeout=60,
                ).json()["data"]
            except (requests.ConnectionError, requests.JSONDecodeError):
                return None

        return wait_until(answered, "an answer of the webserver")


def _is_of(process: psutil.Process, session: int) -> bool:
    try:
        return os.getsid(process.pid) == session
    except ProcessLookupError:
        return False
