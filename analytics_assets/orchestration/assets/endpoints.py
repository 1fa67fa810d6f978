"""Endpoints: the upstream assets of the tables, which Dagster observes."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.resource import is_resource_function
from analytics_assets.config.settings.client import configured_base_url, describe_location
from analytics_assets.config.settings.look_up import endpoint_url
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.assets.errors import refusals_explained
from analytics_assets.orchestration.assets.observation import CHECK, check_reachable, observe
from analytics_assets.orchestration.compat import with_signature
from analytics_assets.orchestration.keys import endpoint_group, endpoint_key
from analytics_assets.orchestration.metadata.names import COLUMN_SCHEMA, ENDPOINT, URL
from analytics_assets.orchestration.metadata.table_schema import endpoint_schema
from analytics_assets.orchestration.runs.liveness.lease import executing
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.redaction.url import without_credentials

Result = dg.ObserveResult | dg.AssetCheckResult


def build_endpoints(
    api: Api, resources: Mapping[str, Resource]
) -> list[dg.AssetSpec | dg.AssetsDefinition]:
    """Build the assets of the API's endpoints, upstream of the tables.

    They are observable: *Observe* in the Dagster UI asks the endpoints for a row.
    https://docs.dagster.io/guides/build/assets/external-assets

    Args:
        api: the API.
        resources: its resources by name.

    Returns:
        One definition for all endpoints of the API, with one op that observes those selected; and
        the specs of resource functions of dlt, which make their requests themselves.
    """
    client = api.config["client"]
    base_url = configured_base_url(client, api.name)
    location = describe_location(client, api.name)
    specs, observable = list[dg.AssetSpec](), dict[dg.AssetKey, Resource]()
    for resource in resources.values():
        with refusals_explained(resource):
            specs.append(endpoint_spec(resource, base_url, location))
        if not any(is_resource_function(entry) for entry in resource.config["resources"]):
            observable[endpoint_key(resource)] = resource
    asked = [spec for spec in specs if spec.key in observable]
    others = [spec for spec in specs if spec.key not in observable]
    return [*([_observable(api, asked, observable)] if asked else []), *others]


def endpoint_spec(resource: Resource, base_url: str | None, location: str) -> dg.AssetSpec:
    """Return the spec of a resource's endpoint.

    Args:
        resource: the resource.
        base_url: the API's base URL, None if none is set.
        location: the location of the API for display.
    """
    path = resource.shown_path
    metadata: dict[str, Any] = {ENDPOINT: path}
    if resource.contract.has_schema:
        metadata[COLUMN_SCHEMA] = endpoint_schema(resource)
    if base_url:
        url = endpoint_url(without_credentials(base_url), path)
        metadata[URL] = dg.MetadataValue.url(url)
    return dg.AssetSpec(
        key=endpoint_key(resource),
        description=f"{path} of {location}.".replace("`", ""),  # the list of assets shows them
        group_name=endpoint_group(resource),
        kinds={"api"},
        owners=list(resource.policy.owners),
        metadata=metadata,
    )


def _observable(
    api: Api, specs: Sequence[dg.AssetSpec], resources: Mapping[dg.AssetKey, Resource]
) -> dg.AssetsDefinition:
    @with_signature
    def observe_endpoints(context: dg.AssetExecutionContext) -> Iterator[Result]:
        with executing(context), errors_redacted():
            yield from _results(api, resources, context)

    with warnings.catch_warnings():
        # in beta in Dagster 1.13, and warns for every API
        warnings.simplefilter("ignore", dg.BetaWarning)
        definition: dg.AssetsDefinition = dg.multi_observable_source_asset(
            specs=specs,
            name=f"observe_{api.name}",
            description=f"Asks endpoints of the {api.name} API for their newest change, or for a "
            "row. Nothing is loaded.",
            check_specs=[
                dg.AssetCheckSpec(
                    CHECK,
                    asset=key,
                    description="The endpoint could be read when it was observed last.",
                )
                for key in resources
            ],
            can_subset=True,
        )(observe_endpoints)
    return definition


def _results(
    api: Api, resources: Mapping[dg.AssetKey, Resource], context: dg.AssetExecutionContext
) -> Iterator[Result]:
    """Yield the observations of the endpoints that a run has selected, and their checks alone."""
    observed = context.selected_asset_keys
    checks = {key.asset_key for key in context.selected_asset_check_keys}
    chosen = [resource for key, resource in resources.items() if key in observed | checks]
    for resource, state in observe(api, chosen, datetime.now(UTC), context.log):
        key, result = endpoint_key(resource), check_reachable(resource, state)
        if key in observed:
            yield dg.ObserveResult(key, state, check_results=[result] if key in checks else [])
        else:
            yield result
