"""The total number of rows that an API reports in the body or the headers of a page."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from analytics_assets.extract.paging.evidence.fields import Field

TOTALS = frozenset(
    f"total{unit}"
    for unit in ("", "count", "rows", "results", "records", "items", "elements", "entries", "hits")
) | {"recordstotal"}
HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "Total-Count")
MOST_DIGITS = 18  # of a count; Python refuses to convert more than 4,300
CONTENT_RANGE = re.compile(r"\s*(?:\w+\s+)?(?:\d+-\d+|\*)/(\d+)\s*")


def total_in(
    fields: Iterable[Field], headers: Mapping[str, str], pages_path: str = ""
) -> int | None:
    """Find the number of all rows of a read.

    It is a field such as `total`, `total_count` or `totalResults`, or else the header
    `X-Total-Count` or `Content-Range` (RFC 9110 section 14.4). A field `count` is none, as it may
    be the number of rows of the page.

    Args:
        fields: the fields of a page.
        headers: those of the response, by any case of their names.
        pages_path: the path of the number of pages, which is no number of rows.

    Returns:
        The number; None if there is none.
    """
    named = (field for field in fields if field.plain in TOTALS and field.name != pages_path)
    values = chain((field.value for field in named), _in_headers(headers))
    return next((count for count in map(as_count, values) if count is not None), None)


def as_count(value: Any) -> int | None:
    """Return the count that a number or a text of digits is; None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value) if len(value.strip()) <= MOST_DIGITS else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 0 and value == value // 1 else None


def _in_headers(headers: Mapping[str, str]) -> Iterator[str | None]:
    yield from map(headers.get, HEADERS)
    content_range = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    yield content_range and content_range[1]
