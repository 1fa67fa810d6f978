"""The Dagster instance of a load, set up as the command line of this project does."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

DAGSTER_YAML = Path(__file__).parents[4] / "dagster.yaml"
# as the command line sets: Dagster would start processes to copy what is printed
NO_COPIES = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@contextmanager
def instance_in(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Open an instance with its run history in a folder, and the project's `dagster.yaml`."""
    home = folder / "dagster_home"
    home.mkdir(exist_ok=True)
    shutil.copy(DAGSTER_YAML, home)
    overrides = {"compute_logs": NO_COPIES}
    with dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance:
        yield instance
