"""Assets: one op, one dlt pipeline and one merged table per resource, by `@dlt_assets`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dlt import dlt_assets
from dlt import Schema
from dlt.extract import DltResource, DltSource
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.config.api import Api
from analytics_assets.config.load import Load, Partitioned
from analytics_assets.config.process.working_folder import working_folder
from analytics_assets.config.validation.entries import validate_entries
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.assets.dlt_resource import DltLoader
from analytics_assets.orchestration.assets.errors import refusals_explained
from analytics_assets.orchestration.assets.load import AssetLoad
from analytics_assets.orchestration.assets.run_config import LoadConfig
from analytics_assets.orchestration.assets.specs import ResourceTranslator
from analytics_assets.orchestration.compat import forget_output_metadata, with_signature
from analytics_assets.orchestration.keys import op_name
from analytics_assets.orchestration.partitions.definition import backfill_policy_of, partitions_of
from analytics_assets.warehouse.warehouse import Warehouse

DLT_OBJECTS = ("dagster_dlt/source", "dagster_dlt/pipeline", "dagster_dlt/translator")


def build_assets(
    api: Api,
    resources: Mapping[str, Resource],
    warehouse: Warehouse,
    checks: Sequence[Sequence[dg.AssetCheckKey]],
) -> list[dg.AssetsDefinition]:
    """Build the asset of each resource; opens no connection and resolves no secret.

    Args:
        api: the API.
        resources: its resources by name.
        warehouse: the warehouse of the tables.
        checks: the checks of each resource.

    Returns:
        One definition with one asset and one op per resource.

    Raises:
        ConfigurationError: dlt or Dagster refuses an entry; the message names it.
    """
    validate_entries(api)
    translator = ResourceTranslator(resources, warehouse, api.file)
    # `dlt_assets` reads the destination of this one; a run has a pipeline of its own
    with working_folder(warehouse.pipelines_dir, api.name) as folder:
        pipeline = warehouse.pipeline(api.name, folder)
    assets = []
    for resource, keys in zip(resources.values(), checks, strict=True):
        load = AssetLoad(resource, warehouse, translator, keys)
        with refusals_explained(resource):
            assets.append(_build_asset(load, pipeline))
    return assets


def _build_asset(asset_load: AssetLoad, pipeline: Pipeline) -> dg.AssetsDefinition:
    resource = asset_load.resource

    def load(
        context: dg.AssetExecutionContext, dlt: DltLoader, config: LoadConfig
    ) -> Iterator[dg.MaterializeResult[Any]]:
        yield asset_load.run(context, dlt, config)

    table = asset_load.warehouse.qualified(resource.table)
    # the description of the op
    load.__doc__ = f"Reads {resource.shown_path}, and loads the rows into {table}."
    assets = dlt_assets(
        dlt_source=_source_stub(resource.name),
        dlt_pipeline=pipeline,
        dagster_dlt_translator=asset_load.translator,
        name=op_name(resource),
        op_tags=resource.policy.op_tags,
        pool=asset_load.warehouse.pool(resource.table),
        **_partitions(resource.policy.load),
    )(with_signature(load))
    forget_output_metadata(assets, DLT_OBJECTS)
    return assets.map_asset_specs(_without_objects)


def _without_objects(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Return a spec without the objects that dagster-dlt keeps in its metadata.

    A run passes its own source, pipeline and translator; the UI would show them as unserializable.
    """
    metadata = {name: spec.metadata[name] for name in spec.metadata if name not in DLT_OBJECTS}
    return spec.replace_attributes(metadata=metadata)


def _source_stub(name: str) -> DltSource:
    """Return a source that names a resource and reads nothing.

    A run makes the source with its settings and secrets; one that dlt validates as a whole takes
    7 ms here.
    """
    return DltSource(Schema(name), name, [DltResource.from_data([], name=name)])


def _partitions(load: Load) -> dict[str, Any]:
    if not isinstance(load, Partitioned):
        return {}
    return {"partitions_def": partitions_of(load), "backfill_policy": backfill_policy_of(load)}
