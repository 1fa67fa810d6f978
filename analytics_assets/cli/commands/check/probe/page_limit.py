"""The most rows that an API gives on a page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from analytics_assets.config.errors import find_cause
from analytics_assets.config.resource import as_endpoint, as_entry, name_of
from analytics_assets.config.text.quantities import count, duration, number
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError, QuotaError
from analytics_assets.extract.http.limits.status import is_throttled
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.paging.evidence.counts import SIZE_PARAMS
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.rows.response_body import plain_name
from analytics_assets.extract.sampling.first_pages import read_first_pages

LARGER = (1000, 10_000)  # limits to try
SMALLER = (500, 250, 200, 100)  # if a larger one is refused


class ThrottledError(Exception):
    """The API asks for fewer requests."""


@dataclass(frozen=True)
class PageLimit:
    """The limit of rows that the requests of a resource name.

    Args:
        place: its place in the request; "" for `limit` of the paginator.
        value: the number.
    """

    place: str
    value: int

    @classmethod
    def of(cls, resource: Resource) -> "PageLimit | None":
        """Return the limit of a resource; None if its entry names none."""
        paginator = resource.paginator
        if isinstance(paginator, Mapping) and "limit" in paginator:
            return cls("", int(paginator["limit"]))
        endpoint = resource.endpoint
        for part, prefix in (("params", ""), ("json", "json.")):
            given = endpoint.get(part)
            for name, value in given.items() if isinstance(given, Mapping) else ():
                if plain_name(name) in SIZE_PARAMS and str(value).isdecimal():
                    return cls(f"{prefix}{name}", int(value))
        return None

    def changed(self, resource: Resource, value: int) -> Resource:
        """Return a resource whose requests name another limit."""
        if not self.place:
            return with_paginator(resource, limit=value)
        config = with_params(resource.config, resource.name, {self.place: value})
        return replace(resource, config=config)

    def line(self, value: int) -> str:
        """Return the part of an entry that sets the limit."""
        if not self.place:
            return f'"limit": {value} in `paginator`'
        part, _, name = self.place.rpartition(".")
        return f'"{name}": {value} in `{part or "params"}` of `endpoint`'


def with_paginator(resource: Resource, **options: Any) -> Resource:
    """Return a resource with other options of its paginator."""
    paginator = {**resource.paginator, **options}
    entries = [
        _with_paginator(entry, paginator) if name_of(entry) == resource.name else entry
        for entry in resource.config["resources"]
    ]
    return replace(resource, config={**resource.config, "resources": entries})


def _with_paginator(entry: Any, paginator: Mapping[str, Any]) -> dict[str, Any]:
    given = as_entry(entry)
    endpoint = as_endpoint(given.get("endpoint"))
    return {**given, "endpoint": {**endpoint, "paginator": paginator}}


def rows_of(sample: ReadSample) -> int:
    """Return the rows of the first page."""
    return sample.pages[0].answer.count if sample.pages else 0


def has_more(sample: ReadSample) -> bool:
    """Return True if rows follow the first page."""
    if len(sample.pages) > 1:
        return sample.pages[1].answer.count > 0
    total = sample.pages[0].evidence.total if sample.pages else None
    return not sample.is_over if total is None else total > rows_of(sample)


def first_page(
    resource: Resource, connection: Connection, params: Mapping[str, Any], pages: int = 1
) -> ReadSample | str:
    """Request the first page of a resource; return it, or the reason of a refusal.

    Args:
        resource: the resource.
        connection: sends the request.
        params: the parameters of its window, or of its cursor.
        pages: the most pages; two show that rows follow the first one.

    Raises:
        ThrottledError: the API asks for fewer requests.
    """
    try:
        return read_first_pages(resource, connection, params, pages).sample
    except Exception as error:
        cause = find_cause(error, ApiError)
        if cause is None:
            raise
        response = getattr(cause, "response", None)
        is_refused = response is not None and is_throttled(response.status_code, response.headers)
        if is_refused or isinstance(cause, QuotaError):
            raise ThrottledError from None
        return str(cause)


def probe_page_limit(
    resource: Resource, connection: Connection, params: Mapping[str, Any], first: ReadSample
) -> Iterator[str]:
    """Ask for larger pages, and yield what came of it.

    Args:
        resource: the resource.
        connection: sends the requests.
        params: those of its window.
        first: its first two pages.

    Raises:
        ThrottledError: the API asks for fewer requests.
    """
    limit, rows = PageLimit.of(resource), rows_of(first)
    if not has_more(first):
        yield f"{count(rows, 'row')} came on one page, so that its limit is unknown"
    elif limit is None:
        yield (
            f"{count(rows, 'row')} came on the first page. The entry names no limit; if the API "
            "has a parameter for it, write it into `params` of `endpoint`"
        )
    elif rows < limit.value:
        yield _capped(limit, rows, limit.value)
    else:
        pages = 1 if first.pages[0].evidence.total is not None else 2
        yield from _larger(resource, connection, params, limit, pages)


def _larger(
    resource: Resource,
    connection: Connection,
    params: Mapping[str, Any],
    limit: PageLimit,
    pages: int,
) -> Iterator[str]:
    best, seconds, refusal = limit.value, 0.0, ""
    tries = [value for value in LARGER if value > limit.value]
    while tries:
        value, started = tries.pop(0), monotonic()
        page = first_page(limit.changed(resource, value), connection, params, pages)
        if isinstance(page, str):
            refusal = refusal or f"; {number(value)} are refused"
            tries = (
                [] if value in SMALLER[-1:] else [each for each in SMALLER if best < each < value]
            )
            continue
        rows, took = rows_of(page), monotonic() - started
        if rows > best:
            best, seconds = rows, took
        if not has_more(page):
            yield f"{count(rows, 'row')} came on one page, when {number(value)} were asked for"
            return
        if rows < value:
            refusal = f"; {number(value)} were asked for"
            break
        if refusal:
            break
    if best == limit.value:
        yield f"pages have at most {count(best, 'row')}, as `limit` says{refusal}"
    else:
        took_text = f" (a page took {duration(seconds)})" if seconds else ""
        yield f"pages may have {count(best, 'row')}{took_text}{refusal}: write {limit.line(best)}"


def _capped(limit: PageLimit, rows: int, asked: int) -> str:
    return (
        f"pages have at most {count(rows, 'row')}; {number(asked)} were asked for: write "
        f"{limit.line(rows)}"
    )
