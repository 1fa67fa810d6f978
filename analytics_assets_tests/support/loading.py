"""Loads through Dagster, and the content of their tables."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import dlt

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import partitions_until
from analytics_assets.orchestration.runs.materializations import plain_metadata
from analytics_assets.orchestration.runs.storage import SqliteStorage
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY


def load(
    instance: dg.DagsterInstance,
    *resources: str,
    api: Api = API,
    tags: Mapping[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    """Materialize some resources, or all, in this process; `config` is that of the first one.

    Of partitioned ones, all partitions that the embedded API may have in a test are loaded.
    """
    chosen = resources or tuple(api.resources)
    job = build_definitions(api).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[asset_key(api.resources[resource]) for resource in chosen],
        raise_on_error=False,
        tags={**partition_tags(api, chosen), **(tags or {})},
        run_config={"ops": {f"{api.name}__{resources[0]}": {"config": config}}} if config else None,
    )


def partition_tags(api: Api, resources: Sequence[str]) -> Mapping[str, str]:
    """Return the tags of a run over the partitions up to a week after the usual today."""
    end = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) + timedelta(weeks=1)
    loads = [api.resources[resource].policy.load for resource in resources]
    keys = [partitions_until(load, end) for load in loads if isinstance(load, Partitioned)]
    return range_tags(keys[0]) if keys else {}


def metadata_of(result: dg.ExecuteInProcessResult, resource: str, api: Api = API) -> dict[str, Any]:
    """Return the metadata of a resource's materialization, the last one, as plain values."""
    for event in reversed(result.get_asset_materialization_events()):
        if event.asset_key == asset_key(api.resources[resource]):
            return plain_metadata(event.step_materialization_data.materialization)
    raise AssertionError(f"{resource} was not materialized")


def check_of(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    """Return what a check of a resource found."""
    return next(each for each in result.get_asset_check_evaluations() if each.check_name == name)


def failures_of(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Return why steps failed, by the name of the step."""
    return {
        str(event.step_key): str(
            data.user_failure_data.description
            if data.user_failure_data
            else data.error.to_string()
            if data.error
            else ""
        )
        for event in result.get_step_failure_events()
        for data in [event.step_failure_data]
    }


def table_rows(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    """Return a table's rows without dlt's own columns, in JSON's types, ordered by `id`."""
    rows = table_values(warehouse.pipeline("test_reader"), table)
    return [{column: as_json(value) for column, value in row.items()} for row in rows]


def table_values(pipeline: dlt.Pipeline, table: str, order: str = "id") -> list[dict[str, Any]]:
    """Return a table's rows without dlt's own columns, in Python's types, JSON decoded."""
    with pipeline.sql_client() as client:
        name = client.make_qualified_table_name(table)
        order = client.escape_column_name(order)
        with client.execute_query(f"SELECT * FROM {name} ORDER BY {order}") as cursor:
            columns = cursor.native_cursor.description
            rows = cursor.fetchall()
    return [
        {
            # unlike that of PostgreSQL, the driver of DuckDB leaves JSON a text
            column[0]: json.loads(value) if value and str(column[1]) == "JSON" else value
            for column, value in zip(columns, row, strict=True)
            if not column[0].startswith("_dlt")
        }
        for row in rows
    ]


def api_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return an API's rows as a table should hold them, ordered by `id`."""
    return sorted(({**row} for row in rows), key=lambda row: str(row["id"]))


def history_in(folder: Path) -> AbstractContextManager[dg.DagsterInstance]:
    """Open an instance with its history in a folder, in the storage of `dagster.yaml`."""
    storage = {
        "module": SqliteStorage.__module__,
        "class": SqliteStorage.__name__,
        "config": {"base_dir": str(folder)},
    }
    overrides = {"storage": {"custom": storage}, "telemetry": {"enabled": False}}
    return dg.DagsterInstance.local_temp(str(folder), overrides=overrides)


def entry_of(resource: str) -> dict[str, Any]:
    """The entry of one more resource of the analytics API."""
    return {
        "name": resource,
        "endpoint": {
            "path": f"/v1/{resource}",
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 100},
        },
    }


def api_with(resource: str) -> Api:
    """The analytics API with one other resource in place of its own."""
    return Api(name=API.name, config={**API.config, "resources": [entry_of(resource)]})


def as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        in_utc = value.astimezone(UTC) if value.tzinfo else value
        return in_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return json.loads(json.dumps(value, default=str))


def change(warehouse: Warehouse, table: str, statement: str) -> None:
    """Change a table by SQL; `{table}` in the statement is replaced by its name."""
    with warehouse.pipeline("test_vandal").sql_client() as client:
        client.execute_sql(statement.format(table=client.make_qualified_table_name(table)))
