"""The Dagster instance of the command line: the one whose history the UI shows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from filelock import FileLock, Timeout

from analytics_assets.cli.terminal import echo
from analytics_assets.config.errors import SettingsError
from analytics_assets.config.process.working_folder import working_folder
from analytics_assets.config.process.writable import writing_to
from analytics_assets.config.settings.look_up import pipelines_dir
from analytics_assets.config.text.quantities import duration
from analytics_assets.warehouse.settings import warehouse_settings

REMEDY = "Name another folder by DAGSTER_HOME, or by `base_dir` in its `dagster.yaml`"


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Open the instance that `dagster dev` finds, or an ephemeral one with a warning."""
    home = os.environ.get("DAGSTER_HOME") or (Path.cwd() if Path("dagster.yaml").exists() else "")
    if home:
        with _stored_instance(Path(home).absolute()) as instance:
            yield instance
        return
    echo(
        "There is no dagster.yaml in this folder, and DAGSTER_HOME is not set: earlier runs are "
        "unknown, and this run will not be recorded.",
        style="yellow",
    )
    with (
        working_folder(pipelines_dir(), "dagster") as folder,
        dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance,
    ):
        yield instance


def _stored_instance(home: Path) -> dg.DagsterInstance:
    """Return the instance of `dagster.yaml` in a folder, with its history below that folder.

    Dagster takes a relative `base_dir` for one below the folder in which a command runs.
    """
    file = home / "dagster.yaml"
    with _errors_of(file):
        settings = (yaml.safe_load(file.read_bytes()) if file.exists() else None) or {}
    # the output goes to the terminal; to capture it, Dagster would start processes
    no_capture = {"module": "dagster._core.storage.noop_compute_log_manager"}
    no_capture["class"] = "NoOpComputeLogManager"
    overrides: dict[str, Any] = {"compute_logs": no_capture}
    if "telemetry" not in settings:  # it fails a run where the user's home must not be written
        overrides["telemetry"] = {"enabled": False}
    history = None if settings.get("storage") else home  # None for a server
    for section in ("local_artifact_storage", "storage"):
        part = deepcopy(settings.get(section) or {})
        config = part.get("sqlite") or (part.get("custom") or part).get("config") or {}
        if isinstance(config.get("base_dir"), str):
            folder = home / config["base_dir"]
            config["base_dir"] = str(folder)
            overrides[section] = part
            history = folder if section == "storage" else history
    with _opening(history) if history else nullcontext(), _errors_of(file):
        return dg.DagsterInstance.local_temp(str(home), overrides=overrides)


@contextmanager
def _opening(history: Path) -> Iterator[None]:
    """Open the history in no other process inside the context.

    Two commands that start at once would break the database that Dagster 1.13 creates.

    Args:
        history: the folder of its files.

    Raises:
        SettingsError: the folder cannot be written, or another process opens it for too long.
    """
    patience, lock = warehouse_settings().lock_patience, FileLock(history / "opening.lock")
    try:
        with writing_to(history, REMEDY):
            history.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=patience)
    except Timeout:
        raise SettingsError(
            f"Another process holds {lock.lock_file} for longer than {duration(patience)} (setting "
            "`lock_patience`), while it opens Dagster's history: end it."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _errors_of(file: Path) -> Iterator[None]:
    """Raise an error of `dagster.yaml` as one that names the file, the line and the entry.

    Raises:
        SettingsError: the file is no YAML, or has an entry that Dagster does not know.
    """
    try:
        yield
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(
            f"{file}, line {line}: {error.problem}. Correct the line; YAML is indented by spaces."
        ) from None
    except dg.DagsterInvalidConfigError as error:
        reasons = "; ".join(each.message.partition(" Expected")[0] for each in error.errors)
        raise SettingsError(f"{file}: {reasons} Correct the entry.") from None
