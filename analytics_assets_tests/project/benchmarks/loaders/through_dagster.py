"""This project as its command line runs it: an asset and its checks for each resource."""

import logging

from analytics_assets.cli.main import end_process
from analytics_assets.config.process.garbage_collection import objects_kept
from analytics_assets_tests.project.benchmarks.loaders.stages import STAGES, Stopwatch, print_stages
from analytics_assets_tests.project.benchmarks.loaders.task import read_task

with objects_kept():
    import dagster as dg

    from analytics_assets.config.api import Api
    from analytics_assets.orchestration.compat import history_kept_open
    from analytics_assets.orchestration.definitions import build_definitions
    from analytics_assets.orchestration.keys import asset_key
    from analytics_assets.orchestration.runs.materializations import plain_metadata
    from analytics_assets_tests.project.benchmarks.loaders.dagster_instance import (
        QUIET,
        instance_in,
    )
    from analytics_assets_tests.project.benchmarks.loaders.own_api import (
        own_api,
        point_at_warehouse,
    )


def main() -> None:
    """Load the task of the command line."""
    task, watch = read_task(), Stopwatch()
    point_at_warehouse(task)
    logging.getLogger("dlt").setLevel(logging.ERROR)
    api = own_api(task)
    with instance_in(task.workdir) as instance, history_kept_open(instance):
        watch.end("import")
        result = materialize(api, instance)
    if task.stages:
        print_stages({**watch.seconds, **stages_of(result)})


def materialize(api: Api, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Run the job of all assets."""
    with objects_kept():
        job = build_definitions(api).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[asset_key(api.resources[resource]) for resource in api.resources],
        run_config=QUIET,
    )


def stages_of(result: dg.ExecuteInProcessResult) -> dict[str, float]:
    """Return the seconds of each stage, added up over the materializations."""
    loads = [
        plain_metadata(event.step_materialization_data.materialization)
        for event in result.get_asset_materialization_events()
    ]
    return {
        stage: sum(load.get(f"seconds {stage}", 0.0) for load in loads)
        for stage in STAGES
        if stage != "import"
    }


if __name__ == "__main__":
    main()
    end_process(0)
