"""Endpoints: the upstream assets of the tables, which Dagster observes."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import (
    AnalyticsAssetsError,
    SettingsError,
    find_cause,
    without_name,
)
from analytics_assets.config.resource import is_resource_function
from analytics_assets.config.settings.client import configured_base_url, describe_location
from analytics_assets.config.settings.look_up import endpoint_url
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.first_rows import count_first_rows
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import (
    BodyError,
    LinkError,
    NoAnswerError,
    ResponseError,
    TokenError,
)
from analytics_assets.extract.watermark import fetch_newest
from analytics_assets.orchestration.api_file import user_error
from analytics_assets.orchestration.assets.errors import refusals_explained
from analytics_assets.orchestration.keys import endpoint_group, endpoint_key
from analytics_assets.orchestration.metadata.table_schema import endpoint_schema
from analytics_assets.orchestration.partitions.first_request import newest_window, params_of
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.redaction.redactor import redact
from analytics_assets.redaction.url import without_credentials

OF_THE_WHOLE_API = (NoAnswerError, TokenError, SettingsError)
UNREACHABLE = (*OF_THE_WHOLE_API, ResponseError, BodyError, LinkError)


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
        One definition with one op for all endpoints of the API, of which any may be observed; and
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
    others = [spec for spec in specs if spec.key not in observable]
    if not observable:
        return [*others]
    return [_observe(api, [spec for spec in specs if spec.key in observable], observable), *others]


def endpoint_spec(resource: Resource, base_url: str | None, location: str) -> dg.AssetSpec:
    """Return the spec of a resource's endpoint.

    Args:
        resource: the resource.
        base_url: the API's base URL, None if none is set.
        location: the location of the API for display.
    """
    path = resource.shown_path
    metadata: dict[str, Any] = {"path": path}
    if resource.contract.has_schema:
        metadata["dagster/column_schema"] = endpoint_schema(resource)
    if base_url:
        url = endpoint_url(without_credentials(base_url), path)
        metadata["url"] = dg.MetadataValue.url(url)
    return dg.AssetSpec(
        key=endpoint_key(resource),
        description=f"`{path}` of {location}.",
        group_name=endpoint_group(resource),
        kinds={"api"},
        owners=list(resource.policy.owners),
        metadata=metadata,
    )


def _observe(
    api: Api, specs: Sequence[dg.AssetSpec], resources: Mapping[dg.AssetKey, Resource]
) -> dg.AssetsDefinition:
    with warnings.catch_warnings():
        # in beta in Dagster 1.13, like the asset specs that a definition may have
        warnings.simplefilter("ignore", dg.BetaWarning)

        @dg.multi_observable_source_asset(
            specs=specs,
            name=f"observe_{api.name}",
            description=f"Asks endpoints of the {api.name} API for their newest change, or for a "
            "row. Nothing is loaded.",
            can_subset=True,
        )
        @errors_redacted()
        def observe(context: dg.AssetExecutionContext) -> Iterator[dg.ObserveResult]:
            selected = context.selected_asset_keys
            chosen = [each for key, each in resources.items() if key in selected]
            failed = list[str]()
            for resource, metadata in observations(api, chosen, datetime.now(UTC)):
                yield dg.ObserveResult(endpoint_key(resource), metadata=metadata)
                if cause := metadata.get("cause"):
                    failed.append(f"{resource.name}: {cause}")
            if failed:
                asked = f"{len(failed)} of {len(chosen)} endpoints"
                raise dg.Failure(f"{asked} cannot be read. {' '.join(failed)}", allow_retries=False)

    return observe


def observations(
    api: Api, resources: Sequence[Resource], now: datetime
) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """Ask endpoints of an API for their newest change or a row, one after another.

    Once the API does not answer at all, or gives no token, the others are not asked.

    Args:
        api: the API.
        resources: resources of the API.
        now: the moment up to which partitions have ended.

    Yields:
        Each resource with the metadata of its observation; one that cannot be read has a "cause".
    """
    broken: Exception | None = None
    try:
        connection = connect(api.config["client"], api.name, single_attempt())
    except SettingsError as error:
        for resource in resources:
            yield resource, _unreachable(resource, error)
        return
    with closing(connection):
        for resource in resources:
            if broken:
                yield resource, {**_unreachable(resource, broken), "asked": False}
                continue
            try:
                yield resource, _reachable(resource, connection, now)
            except Exception as error:
                cause = find_cause(error, AnalyticsAssetsError)
                if cause is None and user_error(error) is None:
                    raise
                broken = cause if isinstance(cause, OF_THE_WHOLE_API) else None
                yield resource, _unreachable(resource, cause or error, connection)
