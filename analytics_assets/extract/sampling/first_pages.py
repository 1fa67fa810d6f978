"""The first pages of a resource, requested as a load does, and what is to be seen in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.sampling.pages_source import pages_source

Row = dict[str, Any]


@dataclass
class FirstPages:
    """The first pages of a resource.

    Args:
        sample: the pages, and the position after them.
        sent: their rows as the API sent them.
        rows: the rows after the entry's own `processing_steps`.
    """

    sample: ReadSample
    sent: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def read_first_pages(
    resource: Resource, connection: Connection, params: Mapping[str, Any], pages: int = 2
) -> FirstPages:
    """Request the first pages of a resource, each once.

    Those of a resource that is read from the rows of another are for the first row that has some,
    on the first page of the other.

    Args:
        resource: the resource.
        connection: sends the requests.
        params: the parameters of the request, such as those of a time window.
        pages: the most pages.

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: the request for the first page failed; its
            cause is an `ApiError` with the reason.
    """
    found = FirstPages(ReadSample(pages))
    source = pages_source(resource, connection, params, found.sample)

    def keep(row: Any) -> Any:
        if isinstance(row, dict):
            found.sent.append(dict(row))
        return row

    rows = source.resources[resource.name].add_map(keep, insert_at=1)
    found.rows.extend(row for row in rows if isinstance(row, dict))
    return found
