"""The asset `load_health` of an API."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import dlt

from analytics_assets.config.api import Api
from analytics_assets.config.resource import LOAD_HEALTH
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.keys import load_health_key, op_name
from analytics_assets.orchestration.load_health.history import (
    FIRST_LOOK_BACK,
    READ_UNTIL,
    read_until,
    wait_for_loads,
)
from analytics_assets.orchestration.load_health.metadata import health_metadata
from analytics_assets.orchestration.load_health.rows import rows_since
from analytics_assets.orchestration.metadata import names
from analytics_assets.orchestration.runs.liveness.lease import executing
from analytics_assets.orchestration.runs.tags import PRIORITY
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.warehouse.queries.load_health import COLUMNS, KEY
from analytics_assets.warehouse.queries.tables import open_tables
from analytics_assets.warehouse.warehouse import Warehouse

OVERLAP = timedelta(minutes=10)  # between two reads: clocks differ, and events come late
LONGEST_WAIT = timedelta(minutes=10)  # for loads of the same run
AFTER_LOADS = {PRIORITY: "-1"}  # among the steps of a run


def build_load_health(
    api: Api, resources: Mapping[str, Resource], warehouse: Warehouse
) -> dg.AssetsDefinition:
    """Build the asset with the outcome of each load, which it takes from Dagster's history.

    It depends on no other asset, as Dagster would skip it once one of them fails; within a run its
    priority is below theirs.

    Args:
        api: the API.
        resources: its resources by name.
        warehouse: the warehouse of their tables.
    """
    steps = {op_name(resource): name for name, resource in resources.items()}
    columns = [
        dg.TableColumn(name, kind, description) for name, (kind, description) in COLUMNS.items()
    ]

    @dg.asset(
        key=load_health_key(api.name),
        group_name=api.name,
        kinds={warehouse.destination.destination_name},
        owners=list(api.default_policy.get("owners", ())),
        description=f"A row for each load of {api.name}, and each that failed: rows, requests, "
        "seconds, bytes, rejected rows, changed fields and the error.",
        metadata={
            names.TABLE_NAME: warehouse.qualified(LOAD_HEALTH),
            names.COLUMN_SCHEMA: dg.TableSchema(columns=columns),
        },
        op_tags={**api.default_policy.get("op_tags", {}), **AFTER_LOADS},
        pool=warehouse.pool(LOAD_HEALTH),
    )
    def load_health(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with executing(context), errors_redacted():
            return _load(context, api.name, steps, warehouse)

    return load_health


def _load(
    context: dg.AssetExecutionContext,
    api: str,
    steps: Mapping[str, str],
    warehouse: Warehouse,
) -> dg.MaterializeResult[Any]:
    instance, run = context.instance, context.run
    if not wait_for_loads(instance, steps, run, LONGEST_WAIT):
        context.log.info("Loads of this run are still under way: the next one records them.")
    now = datetime.now(UTC)
    name = f"{api}_{LOAD_HEALTH}"
    with warehouse.loading(
        name, len(COLUMNS), table=LOAD_HEALTH, run=run.run_id, log=context.log
    ) as pipeline:
        with open_tables(pipeline) as tables:
            since = read_until(instance, api) if tables.load_health(api).exists else None
        rows = rows_since(instance, api, steps, (since or now - FIRST_LOOK_BACK) - OVERLAP)
        options: Any = {"loader_file_format": warehouse.loader_file_format}  # None is the default
        pipeline.run(
            dlt.resource(
                rows,
                name=LOAD_HEALTH,
                columns={column: {"data_type": kind} for column, (kind, _) in COLUMNS.items()},
                primary_key=KEY,
                write_disposition={"disposition": "merge", "strategy": "delete-insert"},
            ),
            **options,
        )
        with open_tables(pipeline) as tables:
            metadata = health_metadata(tables, api, now)
    # metadata of a result stands in the event of the output, too
    context.add_asset_metadata({**metadata, READ_UNTIL: dg.MetadataValue.timestamp(now)})
    return dg.MaterializeResult()
