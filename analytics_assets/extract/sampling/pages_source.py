"""A source of the first pages of a resource, requested as a load does."""

from collections.abc import Mapping
from typing import Any

from dlt.extract import DltSource

from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.rows.rejected_rows import RejectedRows
from analytics_assets.extract.source import sample_source


def pages_source(
    resource: Resource,
    connection: Connection,
    params: Mapping[str, Any],
    sample: ReadSample,
    contract: Contract | None = None,
    rejected: RejectedRows | None = None,
) -> DltSource:
    """Make a source of the first pages of a resource, with the resources that it is read from.

    Args:
        resource: the resource. Of each that it is read from, the first page is requested.
        connection: sends the requests.
        params: the parameters of the request, such as those of a time window.
        sample: takes the pages.
        contract: see `sample_source`.
        rejected: see `sample_source`.
    """
    name = resource.name
    config = with_params(resource.config, name, params)
    source = sample_source(
        *(config, resource.api_name, connection, resource.absent),
        samples={name: sample},
        contract=contract,
        rejected=rejected,
    ).with_resources(name)
    for each in source.resources.values():
        if not each.is_transformer and (each.name != name or resource.is_function):
            each.add_limit(1)
    return source
