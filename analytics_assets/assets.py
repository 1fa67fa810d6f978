"""One Dagster asset per resource: one op, one dlt pipeline, one table loaded by merge."""

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource, DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt.common.pipeline import LoadInfo
from dlt.common.runtime.collector import LogCollector
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.configuration import Api, ConfigurationError
from analytics_assets.errors import AnalyticsAssetsError, find_cause
from analytics_assets.extract.connection import Connection, connect
from analytics_assets.extract.source import describe_resource, rest_api_source
from analytics_assets.settings import configured_base_url
from analytics_assets.warehouse import TableReader, Warehouse

PROGRESS_PERIOD = 5.0  # seconds between two lines of dlt's progress in a run's log
# metadata keys to which the Dagster UI gives a place of their own
# https://docs.dagster.io/guides/build/assets/metadata-and-tags#standard-metadata-types
ROW_COUNT = "dagster/row_count"
COLUMN_SCHEMA = "dagster/column_schema"
TABLE_NAME = "dagster/table_name"
CODE_REFERENCES = "dagster/code_references"
NEWEST_UPDATE = "newest_updated_at"
UPDATED_AT = "updated_at"


def asset_key(api: Api, resource: str) -> dg.AssetKey:
    """Name the asset of a resource's table."""
    return dg.AssetKey([api.name, resource])


def endpoint_key(api: Api, resource: str) -> dg.AssetKey:
    """Name the upstream asset that stands for a resource's endpoint."""
    return dg.AssetKey([f"{api.name}_api", resource])


def build_endpoints(api: Api) -> list[dg.AssetSpec]:
    """Describe the API's endpoints, which nobody here materializes, for the lineage.

    Args:
        api: the API.

    Returns:
        A spec per resource, with a link to the endpoint where the base URL is known.
    """
    base_url = configured_base_url(api.config["client"], api.name)
    return [_endpoint_spec(api, resource, base_url) for resource in api.resources]


def build_assets(api: Api, warehouse: Warehouse) -> list[dg.AssetsDefinition]:
    """Make the asset of each resource. Nothing is connected to, and no secret is looked up.

    Args:
        api: the API.
        warehouse: where the tables go.

    Returns:
        One definition with one asset and one op per resource.

    Raises:
        ConfigurationError: dlt or Dagster refuses an entry; the message names it.
    """
    pipeline = warehouse.pipeline(f"{api.name}_definitions")
    return [_build_asset(api, resource, warehouse, pipeline) for resource in api.resources]


@dataclass
class ResourceTranslator(DagsterDltTranslator):
    """Says what the asset of a resource is; all else about it comes from dlt.

    Args:
        api: the API.
        warehouse: where the table goes.
    """

    api: Api
    warehouse: Warehouse

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Return the spec of a resource's table."""
        api, resource = self.api, data.resource.name
        policy, table = api.policy(resource), self.warehouse.qualified(api.table(resource))
        return (
            super()
            .get_asset_spec(data)
            .replace_attributes(
                key=asset_key(api, resource),
                deps=[endpoint_key(api, resource)],
                description=_description(api, resource, table),
                group_name=policy.group or api.name,
                owners=list(policy.owners),
                tags=dict(policy.tags),
                code_version=_code_version(api, resource),
                freshness_policy=dg.FreshnessPolicy.time_window(fail_window=policy.freshness),
                metadata={
                    TABLE_NAME: table,
                    "endpoint": api.endpoint(resource)["path"],
                    "primary_key": ", ".join(api.primary_key(resource)) or "none",
                    "schedule": f"{policy.schedule} ({policy.timezone})",
                    **_code_reference(api, resource),
                },
            )
        )


class Loader(DagsterDltResource):
    """Runs a resource's pipeline and says what happened in the asset's metadata.

    dagster-dlt 0.29 would take its metadata out of the live dlt schema, which breaks a second run
    in the same process, and name the table wrongly; hence this override of its public method.
    """

    def extract_resource_metadata(
        self,
        context: Any,
        resource: DltResource,
        load_info: LoadInfo,
        dlt_pipeline: Pipeline,
    ) -> Mapping[str, Any]:
        """Return the metadata that comes from the load alone."""
        trace = dlt_pipeline.last_trace
        assert trace is not None, "a pipeline that has loaded has a trace"
        name, table = resource.name, str(resource.table_name)
        extracted = trace.last_extract_info.metrics if trace.last_extract_info else {}
        loaded = trace.last_normalize_info.row_counts if trace.last_normalize_info else {}
        seconds = {
            f"seconds_{step.step}": round((step.finished_at - step.started_at).total_seconds(), 3)
            for step in trace.steps
            if step.step in ("extract", "normalize", "load") and step.finished_at
        }
        return {
            "rows_extracted": sum(
                metrics["resource_metrics"][name].items_count
                for package in extracted.values()
                for metrics in package
                if name in metrics["resource_metrics"]
            ),
            "rows_loaded": loaded.get(table, 0),
            "load_id": ", ".join(load_info.loads_ids) or "none",
            **seconds,
        }


def _build_asset(
    api: Api, resource: str, warehouse: Warehouse, pipeline: Pipeline
) -> dg.AssetsDefinition:
    translator = ResourceTranslator(api, warehouse)
    try:

        @dlt_assets(
            name=f"{api.name}__{resource}",
            dlt_source=describe_resource(api, resource),
            dlt_pipeline=pipeline,
            dagster_dlt_translator=translator,
            pool=warehouse.pool(resource),
        )
        def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
            try:
                yield from _load(context, api, resource, translator)
            except Exception as error:
                cause = find_cause(error, AnalyticsAssetsError)
                if cause is None:
                    raise
                raise dg.Failure(f"{resource} was not loaded. {cause}") from error

    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(f"Dagster refuses the resource `{resource}`: {error}") from error
    return load


def _load(
    context: dg.AssetExecutionContext, api: Api, resource: str, translator: ResourceTranslator
) -> Iterator[dg.MaterializeResult[Any]]:
    warehouse = translator.warehouse
    connection = connect(api.config["client"], api.name)
    context.log.info(f"Reading {resource} from {connection.settings.base_url}")
    if connection.settings.embedded:
        context.log.info(
            "That is the embedded API, as no `base_url` is set: its page views are real Wikipedia "
            "counts with moved dates, its other rows are synthetic."
        )
    # dagster-dlt changes the source that it runs, so each run has its own
    source = rest_api_source(api.config_of(resource), api.name, connection).with_resources(resource)
    with warehouse.loading(f"{api.name}_{resource}") as pipeline:
        pipeline.collector = LogCollector(PROGRESS_PERIOD, context.log, dump_system_stats=False)
        for result in Loader().run(
            context,
            dlt_source=source,
            dlt_pipeline=pipeline,
            dagster_dlt_translator=translator,
            loader_file_format=warehouse.loader_file_format,
        ):
            with warehouse.reading() as tables:
                state = _table_metadata(tables, api, resource)
            metadata = {**(result.metadata or {}), **_traffic_metadata(connection), **state}
            metadata[TABLE_NAME] = warehouse.qualified(api.table(resource))
            context.log_event(_endpoint_seen(api, resource, connection, metadata))
            yield dg.MaterializeResult(asset_key=result.asset_key, metadata=metadata)


def _endpoint_seen(
    api: Api, resource: str, connection: Connection, metadata: Mapping[str, Any]
) -> dg.AssetObservation:
    """Say in the lineage that the endpoint was read, where it is, and what it gave."""
    url = _url(connection.settings.base_url, str(api.endpoint(resource)["path"]))
    return dg.AssetObservation(
        endpoint_key(api, resource),
        metadata={
            "url": dg.MetadataValue.url(url),
            "rows_extracted": metadata["rows_extracted"],
            "requests": metadata["requests"],
        },
    )


def _table_metadata(tables: TableReader, api: Api, resource: str) -> dict[str, Any]:
    table = api.table(resource)
    columns = tables.columns(table)
    date_column = api.policy(resource).date_column
    metadata: dict[str, Any] = {
        ROW_COUNT: tables.row_count(table) if columns else 0,
        COLUMN_SCHEMA: column_schema(columns),
    }
    for name, column in (("newest_data", date_column), (NEWEST_UPDATE, UPDATED_AT)):
        newest = tables.newest(table, column) if column in columns else None
        if newest:
            metadata[name] = newest.isoformat() if column == UPDATED_AT else str(newest.date())
    return metadata


def _traffic_metadata(connection: Connection) -> dict[str, Any]:
    traffic = connection.traffic
    return {
        "api": "embedded API" if connection.settings.embedded else connection.settings.base_url,
        "requests": traffic.requests,
        "retries": traffic.retries,
        "seconds_waiting_for_api": round(traffic.seconds_waiting, 3),
    }


def column_schema(columns: TTableSchemaColumns) -> dg.TableSchema:
    """Turn dlt's columns into what the Dagster UI shows.

    Args:
        columns: dlt columns by name; dlt's own, which start with `_dlt`, are left out.
    """
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=str(column.get("data_type", "unknown")),
                description=column.get("description"),
                constraints=dg.TableColumnConstraints(nullable=column.get("nullable") is not False),
            )
            for name, column in columns.items()
            if not name.startswith("_dlt")
        ]
    )


def _endpoint_spec(api: Api, resource: str, base_url: str | None) -> dg.AssetSpec:
    path = str(api.endpoint(resource)["path"])
    metadata: dict[str, Any] = {"path": path}
    if base_url:
        metadata["url"] = dg.MetadataValue.url(_url(base_url, path))
    where = base_url or "the embedded API, as no `base_url` is set"
    return dg.AssetSpec(
        key=endpoint_key(api, resource),
        description=f"`{path}` of {where}.",
        group_name=f"{api.name}_api",
        kinds={"api"},
        owners=list(api.policy(resource).owners),
        metadata=metadata,
    )


def _url(base_url: str, path: str) -> str:
    return path if "://" in path else f"{base_url.rstrip('/')}/{path.lstrip('/')}"


def _description(api: Api, resource: str, table: str) -> str:
    policy, key = api.policy(resource), ", ".join(f"`{part}`" for part in api.primary_key(resource))
    how = f"merged into `{table}` by {key}" if key else f"loaded into `{table}`"
    about = f"{policy.description}\n\n" if policy.description else ""
    return f"{about}`{api.endpoint(resource)['path']}` of the {api.name} API, {how}."


def _code_version(api: Api, resource: str) -> str:
    """Return a digest of the resource's entry: a changed entry shows as changed code."""
    config = api.config_of(resource)
    parts = {key: value for key, value in config.items() if key != "client"}
    return hashlib.sha256(
        json.dumps(parts, sort_keys=True, default=_callable_name).encode()
    ).hexdigest()[:12]


def _callable_name(value: Any) -> str:
    return str(getattr(value, "__qualname__", type(value).__name__))


def _code_reference(api: Api, resource: str) -> dict[str, Any]:
    """Link the asset to its entry in the file that describes the API."""
    if not api.file:
        return {}
    lines = Path(api.file).read_text(encoding="utf-8").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if f'"{resource}"' in text), 1)
    with warnings.catch_warnings():
        # code references are in beta in Dagster 1.13 and say so for every asset
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = dg.LocalFileCodeReference(file_path=api.file, line_number=line, label=resource)
        return {CODE_REFERENCES: dg.CodeReferencesMetadataValue(code_references=[reference])}
