"""One Dagster asset per resource: one op, one dlt pipeline, one table loaded by merge."""

import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Full, Incremental, Load, Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.config.settings import configured_base_url, without_credentials
from analytics_assets.contract import Contract
from analytics_assets.extract.dlt_validation import refuse_entries
from analytics_assets.orchestration.assets.materialization import materialize
from analytics_assets.orchestration.assets.run_config import LoadConfig
from analytics_assets.orchestration.keys import asset_key, endpoint_key, endpoint_url
from analytics_assets.orchestration.metadata import (
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    TABLE_NAME,
    column_lineage,
    contract_schema,
)
from analytics_assets.orchestration.partitions.definition import backfill_policy_of, partitions_of
from analytics_assets.orchestration.signature import signature_known
from analytics_assets.warehouse.warehouse import Warehouse

CODE_REFERENCES = "dagster/code_references"
QUOTED = re.compile(r'"(?=(\w+)")')  # a closing quote may open the next word


def build_endpoints(api: Api, contracts: Mapping[str, Contract]) -> list[dg.AssetSpec]:
    """Describe the API's endpoints, which nobody here materializes, for the lineage.

    Args:
        api: the API.
        contracts: what the rows must be, by resource.

    Returns:
        A spec per resource, with a link to the endpoint where the base URL is known.
    """
    base_url = configured_base_url(api.config["client"], api.name)
    specs = []
    for resource in api.resources:
        with _refusals_explained(resource):
            specs.append(_endpoint_spec(api, contracts[resource], base_url))
    return specs


def build_assets(
    api: Api, warehouse: Warehouse, contracts: Mapping[str, Contract]
) -> list[dg.AssetsDefinition]:
    """Make the asset of each resource. Nothing is connected to, and no secret is looked up.

    Args:
        api: the API.
        warehouse: where the tables go.
        contracts: what the rows must be, by resource.

    Returns:
        One definition with one asset and one op per resource.

    Raises:
        ConfigurationError: dlt or Dagster refuses an entry; the message names it.
    """
    refuse_entries(api)
    lines = _lines_of_entries(api)
    kinds = {"dlt", warehouse.destination.destination_name}
    config_schema = LoadConfig.to_fields_dict()
    assets = []
    for resource in api.resources:
        contract = contracts[resource]
        with _refusals_explained(resource):
            spec = _asset_spec(api, warehouse, contract, kinds, lines.get(resource, 1))
            assets.append(_build_asset(spec, api, warehouse, contract, config_schema))
    return assets


def _asset_spec(
    api: Api, warehouse: Warehouse, contract: Contract, kinds: set[str], line: int
) -> dg.AssetSpec:
    """Say what the table of a resource is; its entry is in this line of the API's file."""
    resource = contract.resource
    policy, table = api.policy(resource), warehouse.qualified(api.table(resource))
    return dg.AssetSpec(
        key=asset_key(api, resource),
        deps=[endpoint_key(api, resource)],
        description=_description(api, contract, table),
        group_name=policy.group or api.name,
        owners=list(policy.owners),
        tags=dict(policy.tags),
        kinds=kinds,
        code_version=_code_version(api, resource),
        freshness_policy=_freshness_policy(policy),
        metadata={
            TABLE_NAME: table,
            "endpoint": api.endpoint(resource)["path"],
            "primary_key": ", ".join(contract.key_columns) or "none",
            "schedule": f"{policy.schedule} ({policy.timezone})",
            **_columns(api, contract),
            **_code_reference(api, resource, line),
        },
    )


def _columns(api: Api, contract: Contract) -> dict[str, Any]:
    if not contract.has_schema:
        return {}
    schema = contract_schema(contract)
    return {COLUMN_SCHEMA: schema, COLUMN_LINEAGE: column_lineage(schema, api, contract)}


def _build_asset(
    spec: dg.AssetSpec,
    api: Api,
    warehouse: Warehouse,
    contract: Contract,
    config_schema: dict[str, Any],
) -> dg.AssetsDefinition:
    resource = contract.resource

    # `dlt_assets` would have dlt build each resource, which takes most of the time to load
    # hundreds; nor would it take a schema that is made once
    @dg.multi_asset(
        name=f"{api.name}__{resource}",
        specs=[spec],
        config_schema=config_schema,
        can_subset=True,
        pool=warehouse.pool(api.table(resource)),
        **_partitions(api.policy(resource).load),
    )
    @signature_known
    def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        config = LoadConfig(**context.op_execution_context.op_config)
        yield from materialize(context, api, contract, warehouse, config)

    return load


def _partitions(load: Load) -> dict[str, Any]:
    """Return what of an asset comes from its being partitioned."""
    if not isinstance(load, Partitioned):
        return {}
    return {"partitions_def": partitions_of(load), "backfill_policy": backfill_policy_of(load)}


def _freshness_policy(policy: Policy) -> dg.FreshnessPolicy | None:
    """Return Dagster's own policy; those by partitions have a check instead (`freshness.py`)."""
    if isinstance(policy.load, Partitioned):
        return None
    return dg.FreshnessPolicy.time_window(fail_window=policy.freshness)


@contextmanager
def _refusals_explained(resource: str) -> Iterator[None]:
    try:
        yield
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(f"Dagster refuses the resource `{resource}`: {error}") from error


def _endpoint_spec(api: Api, contract: Contract, base_url: str | None) -> dg.AssetSpec:
    resource = contract.resource
    path = str(api.endpoint(resource)["path"])
    metadata: dict[str, Any] = {"path": path}
    if contract.has_schema:
        metadata[COLUMN_SCHEMA] = contract_schema(contract, of_the_endpoint=True)
    if base_url:
        base_url = without_credentials(base_url)
        metadata["url"] = dg.MetadataValue.url(endpoint_url(base_url, path))
    where = base_url or "the embedded API, as no `base_url` is set"
    return dg.AssetSpec(
        key=endpoint_key(api, resource),
        description=f"`{path}` of {where}.",
        group_name=f"{api.name}_api",
        kinds={"api"},
        owners=list(api.policy(resource).owners),
        metadata=metadata,
    )


def _description(api: Api, contract: Contract, table: str) -> str:
    resource = contract.resource
    policy, key = api.policy(resource), ", ".join(f"`{part}`" for part in contract.key_columns)
    how = f"merged into `{table}` by {key}" if key else f"loaded into `{table}`"
    if isinstance(policy.load, Partitioned):
        how += f", {policy.load.by} by {policy.load.by}"
    if isinstance(policy.load, Incremental):
        how += ", what has changed since the load before"
    about = f"{policy.description}\n\n" if policy.description else ""
    source = f"`{api.endpoint(resource)['path']}` of the {api.name} API"
    types = "" if contract.has_schema else " No contract says what its rows are: dlt infers it."
    return f"{about}{source}, {how}.{types}"


def _code_version(api: Api, resource: str) -> str:
    """Return a digest of the resource's entry: a changed entry shows as changed code.

    Of partitions, so does another way to ask for them, but not how many are loaded at once.
    """
    config = api.config_of(resource)
    parts = {key: value for key, value in config.items() if key != "client"}
    load = api.policy(resource).load
    if isinstance(load, Partitioned):
        parts["load"] = f"{load.by} {load.timezone} {load.window}"
    elif load != Full():
        parts["load"] = repr(load)
    return hashlib.sha256(
        json.dumps(parts, sort_keys=True, default=_callable_name).encode()
    ).hexdigest()[:12]


def _callable_name(value: Any) -> str:
    return str(getattr(value, "__qualname__", type(value).__name__))


def _lines_of_entries(api: Api) -> dict[str, int]:
    """Find the first line of the file that describes the API which names each resource."""
    lines: dict[str, int] = {}
    text = Path(api.file).read_text(encoding="utf-8") if api.file else ""
    for number, line in enumerate(text.splitlines(), 1):
        for name in QUOTED.findall(line):
            lines.setdefault(name, number)
    return lines


def _code_reference(api: Api, resource: str, line: int) -> dict[str, Any]:
    """Link the asset to its entry in the file that describes the API."""
    if not api.file:
        return {}
    with warnings.catch_warnings():
        # code references are in beta in Dagster 1.13 and say so for every asset
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = dg.LocalFileCodeReference(file_path=api.file, line_number=line, label=resource)
        return {CODE_REFERENCES: dg.CodeReferencesMetadataValue(code_references=[reference])}
