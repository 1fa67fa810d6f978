"""Runs of loaders as whole processes, with a count of the rows afterwards."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from analytics_assets_tests.benchmarks.cases import Case
from analytics_assets_tests.benchmarks.errors import BenchmarkError
from analytics_assets_tests.benchmarks.loaders.loader import Loader
from analytics_assets_tests.benchmarks.loaders.task import DATASET, Task
from analytics_assets_tests.benchmarks.measurement.figures import Figures, Measurement

ROOT = Path(__file__).parents[3]
KEPT = ("PATH", "LANG", "LD_LIBRARY_PATH")  # environment variables; no setting of the user
RESOURCE_USAGE = f"{__package__}.resource_usage"
END_OF_ERRORS = 4000  # characters
PATIENCE = 120.0  # seconds that a loader may take, besides those for its rows
SLOWEST = 500  # rows per second; one that is slower hangs


@dataclass(frozen=True)
class Result:
    """Figures of a case.

    Args:
        case: the case.
        figures: by loader.
    """

    case: Case
    figures: Mapping[Loader, Figures]


def measure(
    cases: Iterable[Case], server: str, rounds: int | None = None, places: Path | None = None
) -> Iterator[Result]:
    """Run the loaders of each case in turn, round after round.

    Args:
        cases: the cases.
        server: URL of the server with the pages of all cases.
        rounds: runs of each loader; the case's if not given.
        places: the parent of the runs' temporary folders; the system's if not given.

    Yields:
        The result of each case, as soon as it is known.

    Raises:
        BenchmarkError: a loader failed, or lost a row.
    """
    for case in cases:
        runs: dict[Loader, list[Measurement]] = {loader: [] for loader in case.loaders}
        for _ in range(rounds or case.rounds):
            for loader in case.loaders:
                with tempfile.TemporaryDirectory(prefix="benchmark-", dir=places) as place:
                    runs[loader].append(run(loader, case, server, Path(place)))
                    _say(f"{case.title}: {loader.title}: {runs[loader][-1].seconds:.2f} s")
        yield Result(case, {loader: Figures(taken) for loader, taken in runs.items()})


def run(loader: Loader, case: Case, server: str, place: Path) -> Measurement:
    """Run a loader in an empty folder, and again if the case measures the second run.

    Raises:
        BenchmarkError: it failed, or lost a row.
    """
    task = Task(
        case.base_url(server), place / "loaded.duckdb", case.resources, place / "work", stages=True
    )
    task.workdir.mkdir()
    if case.second_run:
        _run_once(loader, case, task)
    return _run_once(loader, case, task)


def rows_in(duckdb_file: Path, resource: str) -> tuple[int, int]:
    """Return the number of rows of a table, and of different values of `id`."""
    with duckdb.connect(str(duckdb_file), read_only=True) as connection:
        found = connection.execute(
            f"SELECT count(*), count(DISTINCT id) FROM {DATASET}.{resource}"
        ).fetchone()
    assert found is not None, "a count gives a row"
    return int(found[0]), int(found[1])


def run_to_its_end(command: Sequence[str], workdir: Path, longest: float) -> tuple[str, str]:
    """Return the output and the errors of a command; kill it if the wait is interrupted."""
    with subprocess.Popen(
        command,
        cwd=workdir,
        env=_environment(workdir),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group, which can be killed as a whole
    ) as process:
        try:
            return process.communicate(timeout=longest)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGABRT)
            return process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def _run_once(loader: Loader, case: Case, task: Task) -> Measurement:
    # faulthandler prints the stack of a process that hangs
    python = [sys.executable, "-X", "faulthandler", "-m"]
    command = [*python, RESOURCE_USAGE, *python, loader.module, *task.arguments()]
    longest = PATIENCE + case.rows * case.resources / SLOWEST
    printed, errors = run_to_its_end(command, task.workdir, longest)
    usage: dict[str, Any] = json.loads(
        printed or f'{{"exit_code": "no output in {longest:.0f} s"}}'
    )
    if usage["exit_code"]:
        raise BenchmarkError(
            f"{case.title}: {loader.title} ended with {usage['exit_code']}: "
            f"{errors[-END_OF_ERRORS:]}"
        )
    _refuse_loss(loader, case, task.duckdb_file, task.names)
    return Measurement(
        rows=case.rows * case.resources,
        seconds=usage["seconds"],
        cpu_seconds=usage["cpu_seconds"],
        peak_bytes=usage["peak_bytes"],
        stages=json.loads(usage["printed"].splitlines()[-1]),
    )


def _refuse_loss(loader: Loader, case: Case, duckdb_file: Path, resources: Sequence[str]) -> None:
    for resource in resources:
        rows, keys = rows_in(duckdb_file, resource)
        if (rows, keys) != (case.rows, case.rows):
            raise BenchmarkError(
                f"{case.title}: {loader.title} left {rows} rows with {keys} keys in {resource}, "
                f"which has {case.rows} of both. Wrong loaders are not measured."
            )


def _environment(workdir: Path) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "HOME": str(workdir),
        "PYTHONPATH": str(ROOT),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
