"""The honesty of a total: rows at its end, and none beyond it."""

from collections.abc import Iterator, Mapping
from typing import Any

from dlt.sources.helpers.rest_client.paginators import OffsetPaginator, PageNumberPaginator

from analytics_assets.cli.commands.check.probe.page_limit import (
    first_page,
    rows_of,
    with_paginator,
)
from analytics_assets.config.text.quantities import number
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.paging.read_sample import ReadSample


def probe_total(
    resource: Resource, connection: Connection, params: Mapping[str, Any], first: ReadSample
) -> Iterator[str]:
    """Ask for the last page by the API's total, and for the one beyond it.

    Args:
        resource: the resource.
        connection: sends the requests.
        params: those of its window.
        first: its first page.

    Raises:
        ThrottledError: the API asks for fewer requests.
    """
    total = first.pages[0].evidence.total
    if not total:
        yield "it gives no total: a load ends at a page without rows, or as the paginator says"
        return
    places = _places(resource, first, total)
    if places is None:
        yield f"its total, {number(total)}, is compared in a load: its pages have no places"
        return
    option, last, beyond = places
    found = [
        first_page(with_paginator(resource, **{option: place}), connection, params)
        for place in (last, beyond)
    ]
    at_end, after = (None if isinstance(page, str) else rows_of(page) for page in found)
    if after:
        yield (
            f"its total, {number(total)}, is too low: {number(after)} rows come after it. Set "
            "`total_path` in `paginator` to the field with the number of all rows, or to None"
        )
    elif at_end is None:
        yield (
            f"its total is {number(total)}, but it refuses the last page ({option} {number(last)})"
            f": {found[0]} Load it by partitions, or by a cursor"
        )
    elif not at_end:
        yield (
            f"its total, {number(total)}, is too high: its last page ({option} {number(last)}) is "
            "empty. Set `total_path` in `paginator` to the field with the number of all rows, or "
            "to None"
        )
    else:
        yield f"its total, {number(total)}, is right: rows come up to it, and none after it"


def _places(resource: Resource, first: ReadSample, total: int) -> tuple[str, int, int] | None:
    """Return dlt's option for the first place of a read, and the places of the last rows."""
    paginator = first.position.paginator
    if not isinstance(resource.paginator, Mapping):
        return None
    if isinstance(paginator, OffsetPaginator):
        return "offset", total - 1, total
    if isinstance(paginator, PageNumberPaginator) and rows_of(first):
        pages = -(-total // rows_of(first))
        return "page", paginator.base_index + pages - 1, paginator.base_index + pages
    return None
