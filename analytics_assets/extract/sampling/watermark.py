"""The newest `updated_at` that an endpoint holds, by one cheap request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analytics_assets.config.entry.place import PARTS
from analytics_assets.config.policy import NewestRequest
from analytics_assets.config.resource import name_of
from analytics_assets.config.times.timestamps import (
    EXAMPLES,
    TimeFormatError,
    parse_timestamp,
    read_time,
)
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.rows.response_body import value_at
from analytics_assets.extract.source import sample_source


class WatermarkError(ApiError):
    """A row has no time in the field that the policy names."""


def fetch_newest(
    resource: Resource,
    newest: NewestRequest,
    connection: Connection,
    window: Mapping[str, Any] | None = None,
) -> datetime | None:
    """Fetch the time of an endpoint's newest change.

    The resource is read as in a load, but with the parameters of `newest` and one page only.

    Args:
        resource: the resource.
        newest: the parameters of the request, and the field of a row with the time.
        connection: sends the request.
        window: the parameters that limit the request to some partitions; those of `newest` go
            first.

    Returns:
        The newest time on that page, in UTC; None if it has no rows.

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: the request failed; its cause is an
            `ApiError` with the reason.
        WatermarkError: a row has no time in that field.
    """
    config, name = _one_page(resource, newest, window or {}), resource.name
    source = sample_source(config, resource.api_name, connection, resource.absent)
    source = source.with_resources(name)
    form = resource.policy.time_formats.get(newest["field"])
    values = [value_at(newest["field"], row) for row in source.resources[name]]
    moments = [_as_moment(name, newest["field"], value, form) for value in values]
    return max(moments, default=None)


def _one_page(
    resource: Resource, newest: NewestRequest, window: Mapping[str, Any]
) -> dict[str, Any]:
    endpoint = {
        key: _fixed(value, in_params=key == "params") if key in PARTS else value
        for key, value in resource.endpoint.items()
        if key != "incremental"
    }
    entry: Any = {**resource.entry, "endpoint": {**endpoint, "paginator": "single_page"}}
    entries = resource.config["resources"]
    parents = [other for other in entries if name_of(other) != resource.name]
    config = {**resource.config, "resources": [*parents, entry]}
    return with_params(with_params(config, resource.name, window), resource.name, newest["params"])


def _fixed(value: Any, in_params: bool = False) -> Any:
    """Return a part of a request without the cursors of a load: by dlt, an object in `params`."""

    def is_cursor(each: Any) -> bool:
        is_text = isinstance(each, str) and "{incremental." in each
        return is_text or (in_params and isinstance(each, Mapping))

    if isinstance(value, Mapping):
        return {name: _fixed(each) for name, each in value.items() if not is_cursor(each)}
    if isinstance(value, list | tuple):
        return [_fixed(each) for each in value if not is_cursor(each)]
    return value


def _as_moment(resource: str, field: str, value: object, form: str | None) -> datetime:
    moment, problem = parse_timestamp(value), "no time"
    if form:
        try:
            moment = read_time(value, form)
        except TimeFormatError as error:
            moment, problem = None, str(error)
    if moment is None:
        raise WatermarkError(
            f"{resource}: `{field}` in the API's newest row is {value!r}, which is {problem}. "
            "Correct `newest` in the resource's policy, or set it to None; state a time that is "
            f'not in ISO format by "time_formats": {{"{field}": {EXAMPLES}}}.'
        )
    return moment
