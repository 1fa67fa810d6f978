"""Projects to measure: the package of a checkout, with an API of small resources in `defs/`."""

import compileall
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
        """Run a job as the process does that Dagster's daemon starts, and as many as it starts.

        Args:
            job: its name.
            tags: tags of the run.

        Raises:
            BenchmarkError: the run failed.
        """
        code = ["-m", "analytics_assets.definitions", "-j", job]
        chosen = ["--tags", json.dumps(tags)] if tags else []
        return self.run("dagster", "job", "execute", *code, *chosen)

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
                f"{' '.join(command)} ended with {usage['exit_code']}: {errors[-END_OF_ERRORS:]}"
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
