"""The Dagster instance of the command line: the one whose history the UI shows."""

import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import dagster as dg
from filelock import FileLock

from analytics_assets.cli.terminal import echo
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.runs.dead_runs import end_dead_runs
from analytics_assets.warehouse.warehouse import Warehouse


def open_instance() -> AbstractContextManager[dg.DagsterInstance]:
    """Open the instance that `dagster dev` finds, or an ephemeral one with a warning."""
    home = os.environ.get("DAGSTER_HOME") or (Path.cwd() if Path("dagster.yaml").exists() else "")
    if home:
        # the output goes to the terminal; to capture it, Dagster would start processes
        no_capture = {"module": "dagster._core.storage.noop_compute_log_manager"}
        no_capture["class"] = "NoOpComputeLogManager"
        history = Path(home) / ".dagster"
        history.mkdir(parents=True, exist_ok=True)
        # two commands that start at once would break the database that Dagster 1.13 creates
        with FileLock(history / "opening.lock"):
            return dg.DagsterInstance.local_temp(str(home), overrides={"compute_logs": no_capture})
    echo(
        "There is no dagster.yaml in this folder, and DAGSTER_HOME is not set: earlier loads are "
        "unknown, and this run will not be recorded.",
        style="yellow",
    )
    return dg.DagsterInstance.ephemeral()


def wait_for_pools(instance: dg.DagsterInstance, resources: Sequence[ResourceConfig]) -> None:
    """Wait for runs that hold the pools of some resources, and name them; Dagster waits silently.

    Args:
        instance: holds the pools.
        resources: the resources to load.
    """
    warehouses = {each.api_name: Warehouse.from_settings(each.api_name) for each in resources}
    named: set[str] = set()
    for pool in sorted({warehouses[each.api_name].pool(each.table) for each in resources}):
        while holders := instance.event_log_storage.get_concurrency_info(pool).claimed_slots:
            for run_id in {slot.run_id for slot in holders} - named:
                echo(f"Waiting for run {run_id}, which loads into the same place ...")
                named.add(run_id)
            time.sleep(1)
            end_dead_runs(instance)
