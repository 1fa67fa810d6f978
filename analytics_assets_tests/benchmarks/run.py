"""Runs loaders as whole processes, and looks whether they lost a row."""

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
from analytics_assets_tests.benchmarks.loaders import PACKAGE, Loader
from analytics_assets_tests.benchmarks.measurement import Figures, Measurement
from analytics_assets_tests.benchmarks.task import DATASET, Task

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "LANG", "LD_LIBRARY_PATH")  # of the environment; settings of a user would count
END_OF_ERRORS = 4000  # characters
PATIENCE = 120.0  # seconds that a loader may take, besides those for its rows
SLOWEST = 500  # rows per second; one that is slower hangs


@dataclass(frozen=True)
class Result:
    """What came of a case.

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
        cases: what to measure.
        server: serves the pages of all cases.
        rounds: how often each loader runs; as the case says if not given.
        places: where each run has a folder of its own for a while; the system's if not given.

    Yields:
        What came of a case, as soon as it is known.

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
    """Run a loader once in an empty folder, or twice if it is the second run that counts.

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
    """Return how many rows a table has, and how many different values of `id`."""
    with duckdb.connect(str(duckdb_file), read_only=True) as connection:
        found = connection.execute(
            f"SELECT count(*), count(DISTINCT id) FROM {DATASET}.{resource}"
        ).fetchone()
    assert found is not None, "a count gives a row"
    return int(found[0]), int(found[1])


def run_to_its_end(command: Sequence[str], workdir: Path, longest: float) -> tuple[str, str]:
    """Return what a command printed, and its errors; whatever ends the wait ends it as well."""
    with subprocess.Popen(
        command,
        cwd=workdir,
        env=_environment(workdir),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, which can be ended as a whole
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
    python = [sys.executable, "-X", "faulthandler", "-m"]  # which says where a process hangs
    command = [*python, f"{PACKAGE}.resource_usage", *python, loader.module, *task.arguments()]
    longest = PATIENCE + case.rows * case.resources / SLOWEST
    printed, errors = run_to_its_end(command, task.workdir, longest)
    told: dict[str, Any] = json.loads(printed or f'{{"exit_code": "no word in {longest:.0f} s"}}')
    if told["exit_code"]:
        raise BenchmarkError(
            f"{case.title}: {loader.title} ended with {told['exit_code']}: "
            f"{errors[-END_OF_ERRORS:]}"
        )
    _refuse_loss(loader, case, task.duckdb_file, task.names)
    return Measurement(
        rows=case.rows * case.resources,
        seconds=told["seconds"],
        cpu_seconds=told["cpu_seconds"],
        peak_bytes=told["peak_bytes"],
        stages=json.loads(told["printed"].splitlines()[-1]),
    )


def _refuse_loss(loader: Loader, case: Case, duckdb_file: Path, resources: Sequence[str]) -> None:
    for resource in resources:
        rows, keys = rows_in(duckdb_file, resource)
        if (rows, keys) != (case.rows, case.rows):
            raise BenchmarkError(
                f"{case.title}: {loader.title} left {rows} rows with {keys} keys in {resource}, "
                f"which has {case.rows} of both. A loader that is wrong is not measured."
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
