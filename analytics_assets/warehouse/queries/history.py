"""The history of loads, deleted after a while.

dlt 1.31 writes a row about each load, each change of its state and each change of a schema, and
deletes none of them. Rejected rows are no history: each stays until it is settled.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from dlt import Pipeline
from dlt.common.destination.client import WithStagingDataset
from dlt.common.schema.typing import LOADS_TABLE_NAME
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.config.resource import LOADED_PARTITIONS
from analytics_assets.config.times.timestamps import earlier
from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.queries.derived_table import LOAD
from analytics_assets.warehouse.queries.placeholders import placeholders
from analytics_assets.warehouse.queries.tables import Tables


def has_loads(tables: Tables, ids: Sequence[str]) -> bool:
    """Test if these loads have written into this dataset, and not into another warehouse.

    Args:
        tables: the open warehouse, into which dlt has loaded.
        ids: dlt's ids of the loads.
    """
    if not ids:
        return True
    if (known := tables.load_ids) is not None:
        return known.issuperset(ids)
    found = tables.select(
        "load_id", LOADS_TABLE_NAME, f"WHERE load_id IN ({placeholders(ids)})", *ids
    )
    return {str(row[0]) for row in found} == set(ids)


def has_rows_of_others(tables: Tables, table: str, after: str, loads: Sequence[str]) -> bool:
    """Test if a table has rows that other loads have written since one of them.

    Such are those of a load that failed after its merge, of rejected rows that were retried, and of
    another Dagster instance.

    Args:
        tables: the open warehouse.
        table: the table.
        after: dlt's id of the load, or a moment: in seconds since 1970, as ids are.
        loads: the ids of later loads that are not among the others.
    """
    if LOAD not in tables.columns(table):
        return True
    known = f" AND {LOAD} NOT IN ({placeholders(loads)})" if loads else ""
    return bool(tables.select("1", table, f"WHERE {LOAD} > %s{known} LIMIT 1", after, *loads))


def trim_history_after(pipeline: Pipeline, *, age: timedelta, log: logging.Logger) -> None:
    """Delete the history of a pipeline's loads, or warn that the destination refuses to.

    Args:
        pipeline: the pipeline, after a load.
        age: the age from which history is deleted; 0 keeps all.
        log: for the warning.
    """
    before = earlier(datetime.now(UTC), age)
    try:
        with pipeline.destination_client() as client:
            if isinstance(client, DeltaClient):
                if age:
                    client.trim(before.timestamp())
                client.tidy(LOADED_PARTITIONS)
            elif age:
                assert isinstance(client, SqlJobClientBase)
                trim_history(client, pipeline.pipeline_name, pipeline.schema_names, before)
    # some destinations delete nothing; the load is whole
    except (DatabaseException, OSError, WarehouseError) as error:
        log.warning(f"The history of earlier loads stays, as it could not be trimmed: {error}")


def trim_history(
    client: SqlJobClientBase, pipeline: str, schemas: Iterable[str], before: datetime
) -> None:
    """Delete the history from before a timestamp that no later load needs.

    dlt restores a pipeline from its newest state, the load that brought it, and the newest version
    of each schema: those stay, however old. So does the newest load. A row whose load is deleted
    here keeps its `_dlt_load_id`, which is the time of that load in seconds since 1970.

    Args:
        client: dlt's client of the destination, open.
        pipeline: the name of the pipeline; states of others stay.
        schemas: the names of the pipeline's schemas; loads and versions of others stay.
        before: the timestamp.
    """
    sql = client.sql_client
    states = sql.make_qualified_table_name(client.schema.state_table_name)
    loads = sql.make_qualified_table_name(client.schema.loads_table_name)
    sql.execute_sql(
        f"DELETE FROM {states} WHERE pipeline_name = %s AND created_at < %s AND _dlt_load_id <> "
        f"(SELECT max(load_id) FROM {loads} WHERE status = 0 AND load_id IN "
        f"(SELECT _dlt_load_id FROM {states} WHERE pipeline_name = %s))",
        *(pipeline, before, pipeline),
    )
    for schema in schemas:
        sql.execute_sql(
            f"DELETE FROM {loads} WHERE schema_name = %s AND inserted_at < %s AND load_id <> "
            f"(SELECT max(load_id) FROM {loads} WHERE schema_name = %s) AND load_id NOT IN "
            f"(SELECT _dlt_load_id FROM {states})",
            *(schema, before, schema),
        )
        _trim_versions(client, schema, before)
        if isinstance(client, WithStagingDataset):
            with client.with_staging_dataset():
                if client.get_storage_table(client.schema.version_table_name)[0]:
                    _trim_versions(client, schema, before)


def _trim_versions(client: SqlJobClientBase, schema: str, before: datetime) -> None:
    versions = client.sql_client.make_qualified_table_name(client.schema.version_table_name)
    client.sql_client.execute_sql(
        f"DELETE FROM {versions} WHERE schema_name = %s AND inserted_at < %s AND inserted_at < "
        f"(SELECT max(inserted_at) FROM {versions} WHERE schema_name = %s)",
        *(schema, before, schema),
    )
