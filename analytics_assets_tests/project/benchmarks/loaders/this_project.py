"""This project without Dagster: its source and its warehouse, as an asset uses them."""

from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.project.benchmarks.loaders.own_api import own_api, point_at_warehouse
from analytics_assets_tests.project.benchmarks.loaders.stages import (
    Stopwatch,
    print_stages,
    seconds_in,
)
from analytics_assets_tests.project.benchmarks.loaders.task import read_task


def main() -> None:
    """Load the task of the command line."""
    task, watch = read_task(), Stopwatch()
    point_at_warehouse(task)
    api, warehouse = own_api(task), Warehouse.from_settings("analytics")
    contracts = {resource: resource_of(api, resource).contract for resource in api.resources}
    watch.end("import")
    source = rest_api_source(api.config, api.name, contracts=contracts)
    columns = max(len(contract.columns) for contract in contracts.values())
    with warehouse.loading(api.name, columns) as pipeline:
        pipeline.run(source, loader_file_format="parquet")
        stages = seconds_in(pipeline.last_trace)
    if task.stages:
        print_stages({**watch.seconds, **stages})


if __name__ == "__main__":
    main()
