"""Moments of a load at which its process is killed."""

from dataclasses import dataclass

NORMALIZE = "dlt.normalize.normalize:Normalize.spool_files"
LOAD = "dlt.load.load:Load.load_single_package"
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
STATEMENTS = "dlt.destinations.sql_client:SqlClientBase.execute_many"
MERGED = "dlt.load.load:Load.complete_package"
LOADED = "analytics_assets.orchestration.assets.dlt_resource:DltLoader.extract_resource_metadata"


@dataclass(frozen=True)
class Kill:
    """A moment at which the process is killed.

    Args:
        name: the moment.
        points: the functions that are reached before, as `Doom` takes them.
        arrived: True if the table holds the new rows by then.
        half_way: True if the first of the merge's statements has been executed.
    """

    name: str
    points: tuple[str, ...]
    arrived: bool = False
    half_way: bool = False


KILLS = [
    Kill("killed before normalizing", ("dlt.pipeline.pipeline:Pipeline.normalize",)),
    Kill("killed while normalizing", (NORMALIZE,)),
    Kill("killed before loading", (LOAD,)),
    Kill("killed before the merge", (MERGE,)),
    Kill("killed half way through the merge", (MERGE, STATEMENTS), half_way=True),
    Kill("killed after the merge", (MERGED,), arrived=True),
    Kill("killed after the load, before the materialization", (LOADED,), arrived=True),
]
