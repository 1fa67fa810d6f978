"""The total number of rows that an API reports in the body or the headers of a page."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dlt.common import jsonpath
from dlt.common.jsonpath import TJsonPath

from analytics_assets.extract.paging.evidence.fields import MAX_DEPTH, Path
from analytics_assets.extract.rows.response_body import plain_name

TOTALS = frozenset(
    f"total{unit}"
    for unit in ("", "count", "rows", "results", "records", "items", "elements", "entries", "hits")
) | {"recordstotal"}
CONTAINERS = frozenset(
    ("meta", "metadata", "pagination", "paging", "page", "pageinfo", "pageable", "response")
) | {"info", "additionaldata", "resultinfo", "responsemetadata", "paginginfo", "paginationinfo"}
HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "Total-Count")
ALL_HEADERS = (*HEADERS, "Content-Range")
MOST_DIGITS = 18  # of a count; Python refuses to convert more than 4,300
CONTENT_RANGE = re.compile(r"\s*(?:\w+\s+)?(?:\d+-\d+|\*)/(\d+)\s*")


class TotalFinder:
    """Finds the total number of rows in a page.

    Args:
        path: its path in the body. Without one, or if the path finds nothing, the total is a field
            such as `total`, `total_count` or `totalResults` at the top, beside the rows, or in
            `meta`, `pagination` and the like, or else the header `X-Total-Count` or
            `Content-Range` (RFC 9110 section 14.4). A field `count` is ignored, as it may be the
            number of rows of the page.
        selector: the path of the rows.
        pages_path: the path of the number of pages, which is no number of rows.
        ignored: the names of fields that mean something else.
    """

    def __init__(
        self,
        path: TJsonPath | None,
        selector: str = "",
        pages_path: TJsonPath | None = None,
        ignored: Collection[str] = (),
    ) -> None:
        self._path = path
        self._containers = CONTAINERS | {plain_name(name) for name in re.findall(r"\w+", selector)}
        self._pages_path = str(pages_path).removeprefix("$.")
        self._ignored = {name.rpartition(".")[2] for name in ignored}

    def find(self, body: Any, headers: Mapping[str, str]) -> int | None:
        """Find the total in one page.

        Args:
            body: the decoded body.
            headers: the response's, by any case of their names.

        Returns:
            The number; None if there is none, or the value found is no number of rows.
        """
        if self._path is not None:
            found = jsonpath.find_values(self._path, body)
            if found:
                return as_count(found[0])
        for value in (*self._candidates(body), *_in_headers(headers)):
            count = as_count(value)
            if count is not None:
                return count
        return None

    def _candidates(self, body: Any, path: Path = ()) -> Iterator[Any]:
        if not isinstance(body, Mapping):
            return
        for name, value in body.items():
            counts_pages = ".".join((*path, name)) == self._pages_path
            if plain_name(name) in TOTALS and name not in self._ignored and not counts_pages:
                yield value
        if len(path) < MAX_DEPTH - 1:
            for name, value in body.items():
                if plain_name(name) in self._containers:
                    yield from self._candidates(value, (*path, name))


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
