"""Projects to measure: the package of a checkout, with an API of small resources in `defs/`."""

import compileall
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.measurement.run import (
    END_OF_ERRORS,
    RESOURCE_USAGE,
    ROOT,
    run_to_its_end,
)
from analytics_assets_tests.project.benchmarks.scale.api_server import document

LONGEST = 1800.0  # seconds that a command may take
HISTORY = ".dagster"
RECORD_RUN = f"{__package__}.record_run"
OWN_API = Path(__file__).with_name("measured_api.py")
IN_FOLDER = ("dagster.yaml", "workspace.yaml")
PYTHON = (sys.executable, "-X", "faulthandler", "-m")


@dataclass(frozen=True)
class Usage:
    """Time and memory of a command with all its processes.

    Args:
        seconds: from its start to its end.
        cpu_seconds: user and system.
        peak_bytes: memory of its largest process.
        printed: its standard output.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    printed: str


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own, as a user has it.

    Args:
        checkout: the checkout whose package it is.
        code: the folder with its package.
    """

    checkout: Path
    code: Path

    @contextmanager
    def folder(self, size: Mapping[str, Any], **settings: str) -> Iterator["Folder"]:
        """Make a folder in which the project runs, with an empty history and an empty warehouse.

        Args:
            size: the `size` of `measured_api`.
            **settings: environment variables.
        """
        with tempfile.TemporaryDirectory(prefix="scale-") as place:
            folder = Path(place)
            for name in IN_FOLDER:
                shutil.copy(self.checkout / name, folder)
            (folder / "openapi.json").write_text(json.dumps(document(size.get("resources", 1))))
            known = {"openapi": str(folder / "openapi.json"), **size}
            environment = {
                "PYTHONPATH": os.pathsep.join([str(self.code), str(ROOT)]),
                "SCALE": json.dumps(known),
                "DAGSTER_HOME": str(folder),
                "DESTINATION__DUCKDB__CREDENTIALS": str(folder / "warehouse.duckdb"),
                "PIPELINES_DIR": str(folder / "pipelines"),
                "RUNTIME__LOG_LEVEL": "ERROR",
                **settings,
            }
            yield Folder(folder, environment)


@dataclass(frozen=True)
class Folder:
    """A folder in which a project runs.

    Args:
        path: the folder.
        environment: the environment variables of its commands.
    """

    path: Path
    environment: Mapping[str, str]

    @property
    def history_bytes(self) -> int:
        """The bytes of the run history, with what runs have printed."""
        files = (self.path / HISTORY).rglob("*")
        return sum(each.stat().st_size for each in files if each.is_file())

    def run_job(self, job: str, tags: Mapping[str, str] | None = None) -> Usage:
        """Record a run of a job, and execute it in the process that Dagster's daemon starts.

        Args:
            job: its name.
            tags: tags of the run.

        Returns:
            The usage of that process and of those that it starts, with the CPU seconds in which
            the run was recorded.

        Raises:
            BenchmarkError: the run failed.
        """
        recorded = json.loads(self.run(RECORD_RUN, job, json.dumps(tags or {})).printed)
        usage = self.run("dagster", *recorded["command"])
        return replace(usage, cpu_seconds=usage.cpu_seconds + recorded["cpu_seconds"])

    def run(self, *command: str) -> Usage:
        """Run a Python module with arguments.

        Raises:
            BenchmarkError: it failed.
        """
        measured = [*PYTHON, RESOURCE_USAGE, *PYTHON, *command]
        printed, errors = run_to_its_end(measured, self.path, LONGEST, settings=self.environment)
        usage = json.loads(printed or '{"exit_code": "no output"}')
        if usage["exit_code"]:
            raise BenchmarkError(
                f"{' '.join(command[:3])} ended with {usage['exit_code']}: "
                f"{errors[-END_OF_ERRORS:]}"
            )
        return Usage(usage["seconds"], usage["cpu_seconds"], usage["peak_bytes"], usage["printed"])


@contextmanager
def projects(checkouts: Sequence[Path]) -> Iterator[list[Project]]:
    """Copy the package of each checkout, and compile it."""
    with tempfile.TemporaryDirectory(prefix="scale-code-") as place:
        yield [_project(each, Path(place) / str(number)) for number, each in enumerate(checkouts)]


def _project(checkout: Path, code: Path) -> Project:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(checkout / "analytics_assets", code / "analytics_assets", ignore=ignored)
    shutil.copy(checkout / "pyproject.toml", code)
    defs = code / "analytics_assets" / "defs"
    for example in defs.iterdir():
        if example.is_dir():
            shutil.rmtree(example)
    (defs / "scale").mkdir()
    (defs / "scale" / "__init__.py").touch()
    shutil.copy(OWN_API, defs / "scale" / "api.py")
    compileall.compile_dir(code, quiet=1)
    return Project(checkout, code)
