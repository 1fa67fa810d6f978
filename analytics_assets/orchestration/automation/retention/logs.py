"""Files of runs and ticks: what their processes have printed or logged, and outputs of steps."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import dagster as dg

# endings of the files of `LocalComputeLogManager`, whose folder may have other files: by default
# it is the folder in which Dagster stores the values of assets
OF_LOGS = (".out", ".err", ".complete", ".partial")


def remove_files_of(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove what the steps of a run have printed, and their outputs on this machine.

    Args:
        instance: holds the logs.
        run_id: the run.
    """
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)


def remove_old_logs(folder: Path, before: float, after: str, until: float) -> str | None:
    """Remove logs from before a moment.

    Those of a tick of a schedule or a sensor are in the folder of its repository, and stay when
    Dagster 1.13 deletes the tick; those of a run stay when somebody deletes the run in the UI.

    Args:
        folder: the folder of all logs, with one for each run; files that are no logs stay.
        before: the moment, in seconds since 1970.
        after: the name of the last entry of the folder that was looked at; empty for none.
        until: the reading of the monotonic clock at which to stop.

    Returns:
        The name of the last entry that was looked at; None if none is left.
    """
    for name in sorted(os.listdir(folder)) if folder.exists() else ():
        if name <= after:
            continue
        if time.monotonic() > until:
            return after
        _remove_old(folder / name, before)
        after = name
    return None


def _remove_old(path: Path, before: float) -> None:
    with suppress(OSError):  # a folder with newer files; a file that somebody else has removed
        is_old = path.stat().st_mtime < before
        if path.is_symlink() or not path.is_dir():
            if is_old and path.suffix in OF_LOGS:
                path.unlink()
            return
        # that of a run is as old as its first step; those of schedules get files with each tick
        if is_old or any(each.name.startswith("__") for each in (path, path.parent)):
            for each in path.iterdir():
                _remove_old(each, before)
        if is_old:
            path.rmdir()
