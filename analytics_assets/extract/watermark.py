"""The newest `updated_at` that an endpoint holds, by one cheap request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dlt.common import jsonpath

from analytics_assets.config.api import Api
from analytics_assets.config.policy import NewestRequest
from analytics_assets.config.timestamps import parse_json_timestamp
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.source import sample_source


class WatermarkError(ApiError):
    """The API's rows hold no time where the policy says that it stands."""


def ask_newest(
    api: Api, resource: str, newest: NewestRequest, connection: Connection
) -> datetime | None:
    """Ask an endpoint for the time of its newest change.

    The resource is read as in a load, but with the parameters of `newest` and one page only.

    Args:
        api: the API.
        resource: the resource.
        newest: which parameters to send, and which field of a row holds the time.
        connection: sends the request.

    Returns:
        The newest time on that page, in UTC; None if it has no rows.

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: the request failed; its cause is an
            `ApiError` with the reason.
        WatermarkError: a row has no time in that field.
    """
    config = _one_page(api, resource, newest)
    source = sample_source(config, api.name, connection).with_resources(resource)
    field = jsonpath.compile_path(newest["field"])
    moments = []
    for row in source.resources[resource]:
        values = jsonpath.find_values(field, row)
        moments.append(_as_moment(resource, newest["field"], values[0] if values else None))
    return max(moments, default=None)


def _one_page(api: Api, resource: str, newest: NewestRequest) -> dict[str, Any]:
    config = api.config_of(resource)
    endpoint = {key: value for key, value in api.endpoint(resource).items() if key != "incremental"}
    params = {**_fixed(endpoint.get("params") or {}), **newest["params"]}
    entry: Any = {
        **api.entry(resource),
        "endpoint": {**endpoint, "params": params, "paginator": "single_page"},
    }
    parents = [other for other in config["resources"] if other is not api.entry(resource)]
    return {**config, "resources": [*parents, entry]}


def _fixed(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters without those that only a load can fill in: windows and cursors."""
    return {
        name: value
        for name, value in params.items()
        if not isinstance(value, dict) and "{incremental." not in str(value)
    }


def _as_moment(resource: str, field: str, value: object) -> datetime:
    moment = parse_json_timestamp(value)
    if moment is None:
        raise WatermarkError(
            f"{resource}: `{field}` in the API's newest row is {value!r}, which is no time. "
            "Correct `newest` in the resource's policy, or set it to None."
        )
    return moment
