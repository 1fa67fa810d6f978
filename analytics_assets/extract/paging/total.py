"""The number of rows that an API says it has, wherever its answers hold it."""

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

import requests
from dlt.common import jsonpath
from dlt.common.jsonpath import TJsonPath

from analytics_assets.extract.rows.response_body import plain

TOTALS = frozenset(
    f"total{what}"
    for what in ("", "count", "rows", "results", "records", "items", "elements", "entries", "hits")
) | {"recordstotal"}
CONTAINERS = frozenset(
    ("meta", "metadata", "pagination", "paging", "page", "pageinfo", "pageable", "response")
)
HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "Total-Count")
ALL_HEADERS = (*HEADERS, "Content-Range")
CONTENT_RANGE = re.compile(r"\s*(?:\w+\s+)?(?:\d+-\d+|\*)/(\d+)\s*")


def find_total(
    response: requests.Response,
    path: TJsonPath | None,
    selector: str = "",
    names: Container[str] = TOTALS,
) -> int | None:
    """Find how many rows the API has in all.

    Args:
        response: one page.
        path: where the body holds it; None, or nothing there, looks in the usual places: a field
            such as `total`, `total_count` or `totalResults` at the top, beside the rows, or in
            `meta`, `pagination` and the like, then `X-Total-Count` and `Content-Range` (RFC 9110
            section 14.4). A bare `count` is not looked at, as it may count the page.
        selector: the path to the rows.
        names: what such a field may be called, in small letters and nothing else.

    Returns:
        The number; None if there is none, or what is there is no number of rows.
    """
    body = response.json()
    if path is not None:
        found = jsonpath.find_values(path, body)
        if found:
            return as_count(found[0])
    containers = CONTAINERS | {plain(name) for name in re.findall(r"\w+", selector)}
    for value in (*_candidates(body, containers, names), *_headers(response)):
        count = as_count(value)
        if count is not None:
            return count
    return None


def as_count(value: Any) -> int | None:
    """Return a number of rows that came as a number or as digits; None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 0 and value == value // 1 else None


def _candidates(
    body: Any, containers: frozenset[str], names: Container[str], depth: int = 2
) -> Iterator[Any]:
    if not isinstance(body, Mapping):
        return
    yield from (value for name, value in body.items() if plain(name) in names)
    if depth:
        for name, value in body.items():
            if plain(name) in containers:
                yield from _candidates(value, containers, names, depth - 1)


def _headers(response: requests.Response) -> Iterator[str | None]:
    yield from (response.headers.get(name) for name in HEADERS)
    content_range = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    yield content_range and content_range[1]
