"""The first rows of an endpoint, by one cheap request."""

from collections.abc import Mapping
from typing import Any

from analytics_assets.config.resource import as_endpoint, as_entry
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.source import sample_source


def count_first_rows(
    resource: Resource, connection: Connection, params: Mapping[str, Any]
) -> int | None:
    """Request the first page of a resource, of one row if its paginator has a limit.

    A resource that is read from the rows of another is asked for those of one row: two requests.

    Args:
        resource: the resource.
        connection: sends the requests.
        params: the parameters of the request, such as those of a time window.

    Returns:
        The number of rows on the page; None if no row of another resource is there to ask for.

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: the request failed; its cause is an
            `ApiError` with the reason.
    """
    entries = [_of_one_row(entry, resource) for entry in resource.config["resources"]]
    config = with_params({**resource.config, "resources": entries}, resource.name, params)
    source = sample_source(config, resource.api_name, connection, resource.absent)
    source = source.with_resources(resource.name)
    first_rows = {name: _FirstRow() for name in source.resources.keys() - {resource.name}}
    for name, each in source.resources.items():
        if not each.is_transformer:
            each.add_limit(1)
        if name in first_rows:
            each.add_filter(first_rows[name])
    rows = sum(1 for _ in source.resources[resource.name])
    return rows if all(first.is_found for first in first_rows.values()) else None


class _FirstRow:
    """Passes the first row on, and no other."""

    is_found = False

    def __call__(self, row: Any) -> bool:
        is_first, self.is_found = not self.is_found, True
        return is_first


def _of_one_row(entry: Any, resource: Resource) -> Any:
    """Return an entry whose pages have one row, if it has a paginator with a limit."""
    given = as_entry(entry)
    endpoint = as_endpoint(given.get("endpoint"))
    defaults = as_endpoint(resource.defaults.get("endpoint"))
    own = endpoint.get("paginator") or defaults.get("paginator")
    paginator = own or resource.config["client"].get("paginator")
    if not isinstance(paginator, Mapping) or "limit" not in paginator:
        return entry
    one = {**paginator, "limit": 1}
    return {**given, "endpoint": {**endpoint, "paginator": one}}
