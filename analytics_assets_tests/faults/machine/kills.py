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
    """A process that is killed, and whether the rows are in the table by then.

    Args:
        name: when it is killed.
        points: the functions that are reached before, as `Doom` takes them.
        arrived: whether the table holds the new rows.
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
