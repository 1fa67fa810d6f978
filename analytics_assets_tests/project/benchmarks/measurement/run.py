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

from analytics_assets_tests.project.benchmarks.cases import Case
from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.loaders.loader import Loader
from analytics_assets_tests.project.benchmarks.loaders.task import DATASET, Task
from analytics_assets_tests.project.benchmarks.measurement.figures import Figures, Measurement
from analytics_assets_tests.project.benchmarks.server.pages import LIST

ROOT = Path(__file__).parents[4]
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
    cases: Iterable[Case],
    server: str,
    rounds: int | None = None,
    places: Path | None = None,
    baseline: Path | None = None,
) -> Iterator[Result]:
    """Run the loaders of each case in turn, round after round.

    Args:
        cases: the cases.
        server: URL of the server with the pages of all cases.
        rounds: runs of each loader; the case's if not given.
        places: the parent of the runs' temporary folders; the system's if not given.
        baseline: the checkout of the loaders of the baseline, if there are any.

    Yields:
        The result of each case, as soon as it is known.

    Raises:
        BenchmarkError: a loader failed, or lost a row.
    """
    for case in cases:
        runs: dict[Loader, list[Measurement]] = {loader: [] for loader in case.loaders}
        for number in range(rounds or case.rounds):
            for loader in case.loaders:
                if number and loader in case.once:
                    continue
                with tempfile.TemporaryDirectory(prefix="benchmark-", dir=places) as place:
                    taken = run(loader, case, server, Path(place), baseline)
                runs[loader].append(taken)
                figures = f"{taken.seconds:.2f} s, {taken.cpu_seconds:.2f} s of CPU"
                _say(f"{case.title}: {loader.title}: {figures}")
        yield Result(case, {loader: Figures(taken) for loader, taken in runs.items()})


def run(
    loader: Loader, case: Case, server: str, place: Path, baseline: Path | None = None
) -> Measurement:
    """Run a loader in an empty folder, and again if the case measures the second run.

    Raises:
        BenchmarkError: it failed, or lost a row.
    """
    task = Task(
        case.base_url(server),
        place / "loaded.duckdb",
        case.resources,
        place / "work",
        stages=True,
        paging=case.paging,
        contract=case.contract,
    )
    task.workdir.mkdir()
    root = baseline if loader.of_baseline and baseline else ROOT
    if case.second_run:
        _run_once(loader, case, task, root)
    return _run_once(loader, case, task, root)


def rows_in(duckdb_file: Path, table: str, key: str = "id") -> tuple[int, int]:
    """Return the number of rows of a table, and of different values of its key."""
    with duckdb.connect(str(duckdb_file), read_only=True) as connection:
        found = connection.execute(
            f"SELECT count(*), count(DISTINCT {key}) FROM {DATASET}.{table}"
        ).fetchone()
    assert found is not None, "a count gives a row"
    return int(found[0]), int(found[1])


def run_to_its_end(
    command: Sequence[str],
    workdir: Path,
    longest: float,
    root: Path = ROOT,
    settings: Mapping[str, str] | None = None,
) -> tuple[str, str]:
    """Return the output and the errors of a command; kill it if the wait is interrupted.

    Args:
        command: the command.
        workdir: the folder in which it runs.
        longest: seconds that it may take.
        root: the checkout whose modules it finds.
        settings: further environment variables.
    """
    with subprocess.Popen(
        command,
        cwd=workdir,
        env={**_environment(workdir, root), **(settings or {})},
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


def _run_once(loader: Loader, case: Case, task: Task, root: Path) -> Measurement:
    # faulthandler prints the stack of a process that hangs
    python = [sys.executable, "-X", "faulthandler", "-m"]
    command = [*python, RESOURCE_USAGE, *python, loader.module, *task.arguments()]
    longest = PATIENCE + case.rows * case.resources / SLOWEST
    printed, errors = run_to_its_end(command, task.workdir, longest, root)
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
    expected = [(resource, case.rows, "id") for resource in resources]
    if case.nested:
        expected += [(f"{name}__{LIST}", case.dataset.items, "_dlt_id") for name in resources]
    for table, number, key in expected:
        rows, keys = rows_in(duckdb_file, table, key)
        if (rows, keys) != (number, number):
            raise BenchmarkError(
                f"{case.title}: {loader.title} left {rows} rows with {keys} keys in {table}, "
                f"which has {number} of both. Wrong loaders are not measured."
            )


def _environment(workdir: Path, root: Path) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "HOME": str(workdir),
        "PYTHONPATH": str(root),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
