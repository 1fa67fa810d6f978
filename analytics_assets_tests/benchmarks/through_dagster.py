"""This project as its command line runs it: an asset and its checks for each resource."""

import logging
import shutil
from pathlib import Path

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets_tests.benchmarks.own_api import own_api, point_at_warehouse
from analytics_assets_tests.benchmarks.stages import STAGES, Stopwatch, tell
from analytics_assets_tests.benchmarks.task import read_task

DAGSTER_YAML = Path(__file__).parents[2] / "dagster.yaml"
# what the command line sets as well: to copy what is printed, Dagster would start processes
NO_COPIES = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main() -> None:
    """Load what the command line says."""
    task, watch = read_task(), Stopwatch()
    point_at_warehouse(task)
    logging.getLogger("dlt").setLevel(logging.ERROR)
    api = own_api(task)
    home = task.workdir / "dagster_home"
    home.mkdir(exist_ok=True)
    shutil.copy(DAGSTER_YAML, home)
    watch.end("import")
    result = materialize(api, home)
    if task.stages:
        tell({**watch.seconds, **stages_of(result)})


def materialize(api: Api, home: Path) -> dg.ExecuteInProcessResult:
    """Run the job of all assets, with its history in a folder."""
    job = build_definitions(api).resolve_implicit_global_asset_job_def()
    overrides = {"compute_logs": NO_COPIES}
    with dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance:
        return job.execute_in_process(
            instance=instance,
            asset_selection=[asset_key(api.resources[resource]) for resource in api.resources],
            run_config=QUIET,
        )


def stages_of(result: dg.ExecuteInProcessResult) -> dict[str, float]:
    """Add up what the materializations say of their stages."""
    loads = [
        event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
    ]
    return {
        stage: sum(float(str(load[name].value)) for load in loads if name in load)
        for stage in STAGES
        for name in [f"seconds_{stage}"]
        if stage != "import"
    }


if __name__ == "__main__":
    main()
