"""Asset specs of tables and endpoints."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from analytics_assets.config.load import Full, Incremental, Load, Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.config.times.window import Window
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.api_file import lines_of_entries
from analytics_assets.orchestration.keys import asset_key, endpoint_key
from analytics_assets.orchestration.metadata.names import (
    CODE_REFERENCES,
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    ENDPOINT,
    PRIMARY_KEY,
    SCHEDULE,
    TABLE_NAME,
)
from analytics_assets.orchestration.metadata.table_schema import (
    column_lineage,
    contract_schema,
)
from analytics_assets.warehouse.warehouse import Warehouse


class ResourceTranslator(DagsterDltTranslator):
    """Translates a dlt resource into the spec of its asset.

    https://docs.dagster.io/integrations/libraries/dlt

    Args:
        resources: the resources of one API, by name.
        warehouse: the warehouse of their tables.
        file: the file that describes the API, for links to its entries; None if there is none.
    """

    def __init__(
        self, resources: Mapping[str, Resource], warehouse: Warehouse, file: str | None
    ) -> None:
        super().__init__()
        self._resources = resources
        self._warehouse = warehouse
        self._kinds = {"dlt", warehouse.destination.destination_name}
        self._file = file
        self._lines = lines_of_entries(file)

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Return the whole spec of a resource's asset."""
        resource = self._resources[data.resource.name]
        policy, table = resource.policy, self._warehouse.qualified(resource.table)
        return dg.AssetSpec(
            key=asset_key(resource),
            deps=[endpoint_key(resource)],
            description=_description(resource, table),
            group_name=policy.group or resource.api_name,
            owners=list(policy.owners),
            tags=dict(policy.tags),
            kinds=self._kinds,
            code_version=_code_version(resource),
            freshness_policy=_freshness_policy(policy),
            metadata={
                TABLE_NAME: table,
                ENDPOINT: resource.shown_path,
                PRIMARY_KEY: ", ".join(resource.contract.key_columns) or "none",
                SCHEDULE: f"{policy.schedule} ({policy.timezone})",
                **_columns(resource),
                **self._code_reference(resource),
            },
        )

    def _code_reference(self, resource: Resource) -> dict[str, Any]:
        """Return the link to the resource's entry in the file that describes the API."""
        if not self._file:
            return {}
        with warnings.catch_warnings():
            # code references are in beta in Dagster 1.13 and warn for every asset
            warnings.simplefilter("ignore", dg.BetaWarning)
            reference = dg.LocalFileCodeReference(
                file_path=self._file,
                line_number=self._lines.get(resource.name, 1),
                label=resource.name,
            )
            return {CODE_REFERENCES: dg.CodeReferencesMetadataValue(code_references=[reference])}


def _columns(resource: Resource) -> dict[str, Any]:
    if not resource.contract.has_schema:
        return {}
    schema = contract_schema(resource)
    return {COLUMN_SCHEMA: schema, COLUMN_LINEAGE: column_lineage(schema, resource)}


def _freshness_policy(policy: Policy) -> dg.FreshnessPolicy:
    """Return Dagster's policy: an asset is late if nothing was loaded for so long.

    Dagster 1.13 looks at the last load of any partition, so that it takes a table for fresh after a
    backfill of old ones; the check `newest_partition` does not. Whatever that check takes for
    fresh is no later than this: it allows a period more than `freshness` beyond the first day.
    """
    window, load = policy.freshness, policy.load
    if isinstance(load, Partitioned):
        window = load.longest_partition + max(window - timedelta(days=1), timedelta(0))
    return dg.FreshnessPolicy.time_window(fail_window=window)


def _description(resource: Resource, table: str) -> str:
    """Return the description; the list of assets shows its text without formatting."""
    policy, key = resource.policy, ", ".join(resource.contract.key_columns)
    loaded = f"merged into {table} by {key}" if key else f"loaded into {table}"
    if isinstance(policy.load, Partitioned):
        loaded += f", {policy.load.by} by {policy.load.by}"
    if isinstance(policy.load, Incremental):
        loaded += ", changes since the last load only"
    about = f"{policy.description}\n\n" if policy.description else ""
    source = f"From {resource.shown_path} of the {resource.api_name} API"
    types = "" if resource.contract.has_schema else " Without a contract: dlt infers the columns."
    if resource.contract.problem:
        types += f" {resource.contract.problem}."
    return f"{about}{source}, {loaded}.{types}"


def _code_version(resource: Resource) -> str:
    """Return a digest of the resource's entry: a changed entry shows as changed code.

    For partitions, the way to request them counts too, but not how many are loaded at once.
    """
    parts = {key: value for key, value in resource.config.items() if key != "client"}
    load = resource.policy.load
    if isinstance(load, Partitioned):
        parts["load"] = f"{load.by} {load.timezone} {_text(load.window)}"
    elif load != Full():
        parts["load"] = _text(load)
    return hashlib.sha256(
        json.dumps(parts, sort_keys=True, default=_callable_name).encode()
    ).hexdigest()[:12]


def _text(load: Load | Window) -> str:
    """Return the text of a load; a setting that it does not use, such as a new one, has no part."""
    values = {each.name: getattr(load, each.name) for each in fields(load)}
    unused = {"as_text": False}  # None is unused of any
    used = (f"{name}={value!r}" for name, value in values.items() if value is not unused.get(name))
    return f"{type(load).__name__}({', '.join(used)})"


def _callable_name(value: Any) -> str:
    return str(getattr(value, "__qualname__", type(value).__name__))
