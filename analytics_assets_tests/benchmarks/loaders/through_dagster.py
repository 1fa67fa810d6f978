"""This project as its command line runs it: an asset and its checks for each resource."""

import logging
import shutil
from pathlib import Path

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets_tests.benchmarks.loaders.own_api import own_api, point_at_warehouse
from analytics_assets_tests.benchmarks.loaders.stages import STAGES, Stopwatch, print_stages
from analytics_assets_tests.benchmarks.loaders.task import read_task

DAGSTER_YAML = Path(__file__).parents[3] / "dagster.yaml"
# as the command line sets: Dagster would start processes to copy what is printed
NO_COPIES = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main() -> None:
    """Load the task of the command line."""
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
        print_stages({**watch.seconds, **stages_of(result)})


def materialize(api: Api, home: Path) -> dg.ExecuteInProcessResult:
    """Run the job of all assets, with the run history in a folder."""
    job = build_definitions(api).resolve_implicit_global_asset_job_def()
    overrides = {"compute_logs": NO_COPIES}
    with dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance:
        return job.execute_in_process(
            instance=instance,
            asset_selection=[asset_key(api.resources[resource]) for resource in api.resources],
            run_config=QUIET,
        )


def stages_of(result: dg.ExecuteInProcessResult) -> dict[str, float]:
    """Return the seconds of each stage, added up over the materializations."""
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
