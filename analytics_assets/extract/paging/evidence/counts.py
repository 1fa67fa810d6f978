"""The numbers of a page that count all rows or all pages of a read, or may do so."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from dlt.common.jsonpath import TJsonPath

from analytics_assets.extract.paging.evidence.fields import Field
from analytics_assets.extract.rows.response_body import plain_name

# plain names of fields and headers: `rowcount` of `row_count`
NOUN = "(?:row|record|result|item|element|hit|object|document)"
ROW, ROWS = f"(?:{NOUN}s?|entry|entries)", f"(?:{NOUN}s|entries)"
ROW_COUNT = re.compile(
    "count|odatacount|numfound|found|fullcount|totalsize|totalfound"
    f"|(?:total)?{ROW}count|{ROW}total|{ROWS}found|(?:num|nb|(?:total)?numberof){ROWS}"
)
PAGE_COUNT = re.compile(
    "pages|(?:total)?pages?count|totalpages?|(?:num|nb|numberof)pages|pages?total|lastpage(?:number)?"
)
PAGE_SIZES = {
    *("limit", "size", "perpage", "pagesize", "pagelimit", "pagelength", "maxresults"),
    *("itemsperpage", "resultsperpage", "rowsperpage", "maxpagesize"),
}
TOTALS = frozenset(
    f"total{unit}"
    for unit in ("", "count", "rows", "results", "records", "items", "elements", "entries", "hits")
) | {"recordstotal"}
TOTAL_HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "Total-Count")
MOST_DIGITS = 18  # of a count; Python refuses to convert more than 4,300
CONTENT_RANGE = re.compile(r"\s*(?:\w+\s+)?(?:\d+-\d+|\*)/(\d+)\s*")
SIZE_PARAMS = PAGE_SIZES | {"count", "rows", "top", "first", "take", "num", "max", "n"}
JSON_PARAM = re.compile(r'"([^"]+)"\s*:\s*"?(\d+)')
PLAIN_PARAM = re.compile(r"[?&]([^=&#]+)=(\d+)(?=[&#]|$)")  # with a number


MOST_GROWTHS = 20  # pages in a row, as rows may be added while they are read


class Unit(Enum):
    """The unit of a count."""

    ROWS = "rows"
    PAGES = "pages"
    EITHER = "rows or pages"


class Count(NamedTuple):
    """A number that may be that of all rows, or of all pages."""

    value: int
    unit: Unit


@lru_cache(maxsize=4096)
def _unit_by_name(plain: str) -> Unit | None:
    if ROW_COUNT.fullmatch(plain):
        return Unit.ROWS
    return Unit.PAGES if PAGE_COUNT.fullmatch(plain) else None


def total_in(fields: Iterable[Field], headers: Mapping[str, str], without: str = "") -> int | None:
    """Find the number of all rows of a read.

    It is a field such as `total`, `total_count` or `totalResults`, or else the header
    `X-Total-Count` or `Content-Range` (RFC 9110 section 14.4). A field `count` is none, as it may
    be the number of rows of the page.

    Args:
        fields: the fields of a page.
        headers: those of the response, by any case of their names.
        without: the path of a field that may be the number of pages.

    Returns:
        The number; None if there is none.
    """
    named = (field for field in fields if field.plain in TOTALS and field.name != without)
    content_range = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    in_headers = (*map(headers.get, TOTAL_HEADERS), content_range and content_range[1])
    values = chain((field.value for field in named), in_headers)
    return next((count for count in map(as_count, values) if count is not None), None)


def as_count(value: Any) -> int | None:
    """Return the count that a number or a text of digits is; None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value) if len(value.strip()) <= MOST_DIGITS else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 0 and value == value // 1 else None


def counts_in(fields: Iterable[Field], headers: Mapping[str, str]) -> dict[str, Count]:
    """Find the counts of a page, by field or header.

    Args:
        fields: the fields of a page.
        headers: those of the response.
    """
    of_headers = (Field((name,), text, _plain_header(name)) for name, text in headers.items())
    counts = {}
    for field in chain(fields, of_headers):
        unit = _unit_by_name(field.plain)
        number = as_count(field.value) if unit else None
        if unit and number is not None:
            counts[field.name] = Count(number, unit)
    return counts


def is_count(header: str) -> bool:
    """Return True if a header counts rows or pages by its name."""
    return _unit_by_name(_plain_header(header)) is not None


def page_sizes_in(fields: Iterable[Field]) -> Collection[int]:
    """Find the numbers that are the size of a page."""
    return _numbers(field.value for field in fields if field.plain in PAGE_SIZES)


def requested_sizes(url: str, body: bytes | str | None = None) -> Collection[int]:
    """Find the page sizes in the parameters of a request: of its query, and of a JSON body or form.

    Example:
        >>> sorted(requested_sizes("/orders?limit=100", b'{"page": {"size": 50, "number": 1}}'))
        [50, 100]
    """
    is_plain = "%" not in url and "+" not in url
    params = PLAIN_PARAM.findall(url) if is_plain else parse_qsl(urlsplit(url).query)
    if body:
        text = body if isinstance(body, str) else body.decode(errors="replace")
        is_json = text.startswith("{")
        params += JSON_PARAM.findall(text) if is_json else parse_qsl(text)
    return _numbers(value for name, value in params if plain_name(name) in SIZE_PARAMS)


def _numbers(values: Iterable[Any]) -> Collection[int]:
    return {number for number in map(as_count, values) if number is not None}


def unit_of(total_path: TJsonPath | None, by_number: bool) -> Unit:
    """Return the unit of the number at `total_path`.

    Args:
        total_path: the path.
        by_number: True for a paginator by page number: dlt takes it for pages, many APIs name rows.
    """
    if "page" in plain_name(str(total_path or "").rpartition(".")[2]):
        return Unit.PAGES
    return Unit.EITHER if by_number else Unit.ROWS


class CountClaims:
    """The counts of a pass, as far as its pages do not show that they count something else.

    A count that was the number of rows of every page, that is the size of a page, or that is
    exceeded by the rows that arrived, is no number of all rows.

    Args:
        rows_before: the number of rows of the API before the first page.
        pages_before: the number of its pages, if it is known.

    Attributes:
        received: the number of rows up to the last page, with those before the first one.
    """

    def __init__(self, rows_before: int = 0, pages_before: int = 0) -> None:
        self.received = self._rows_before = rows_before
        self._pages_before, self._pages_with_rows, self._ends_empty = pages_before, 0, False
        self._longest = 0
        self._counts: dict[str, Count] = {}
        self._of_page: dict[str, bool] = {}  # True if it was the number of rows of each page
        self._growths: dict[str, int] = {}  # of the last pages, in a row
        self._sizes: set[int] = set()

    @property
    def _pages(self) -> int:
        """The number of pages up to the last one; of empty ones only that one."""
        before = -(-self._rows_before // self._longest) if self._longest else 0
        return max(before, self._pages_before) + self._pages_with_rows + self._ends_empty

    def add(self, counts: Mapping[str, Count], rows: int, sizes: Collection[int] = ()) -> None:
        """Compare the counts of a page with its rows.

        Args:
            counts: those of the page.
            rows: the number of its rows.
            sizes: the sizes of a page in the page, or in its request.
        """
        self.received += rows
        self._longest = max(self._longest, rows)
        self._pages_with_rows += rows > 0
        self._ends_empty = not rows
        self._sizes.update(sizes)
        for name, count in counts.items():
            before = self._counts.get(name, count).value
            grows = before < count.value > self.received
            self._growths[name] = self._growths.get(name, 0) + 1 if grows else 0
            self._counts[name] = count
            self._of_page[name] = count.value == rows and self._of_page.get(name, True)

    @property
    def growing(self) -> str | None:
        """The count at `total_path` that grows with each page, so that no page is the last one."""
        return next(
            (
                name
                for name, growths in self._growths.items()
                if growths >= MOST_GROWTHS and self._counts[name].unit is Unit.EITHER
            ),
            None,
        )

    def missing(self) -> tuple[str, int] | None:
        """Return the count that reports further rows, and its name; None if there is none."""
        if self.confirm():
            return None
        for name, count in self._valid():
            if count.value > (self.received if count.unit is Unit.ROWS else self._pages):
                return name, count.value
        return None

    def confirm(self) -> bool:
        """Return True if a count shows that all rows arrived; one of rows goes before pages."""
        has_rows = any(count.unit is Unit.ROWS for _, count in self._valid())
        return self.confirm_rows() or (not has_rows and self.confirm_pages())

    def confirm_pages(self) -> bool:
        """Return True if a count of pages shows that all arrived."""
        pages = self._pages
        return any(
            count.value == pages for _, count in self._valid() if count.unit is not Unit.ROWS
        )

    def confirm_rows(self, units: Collection[Unit] = (Unit.ROWS, Unit.EITHER)) -> bool:
        """Return True if a count of rows shows that all arrived."""
        return any(
            count.value == self.received for _, count in self._valid() if count.unit in units
        )

    def _valid(self) -> Iterator[tuple[str, Count]]:
        for name, count in self._counts.items():
            is_exceeded = count.value < self.received
            is_other = self._of_page[name] or count.value in self._sizes or is_exceeded
            if count.unit is not Unit.ROWS or not is_other:
                yield name, count


@lru_cache(maxsize=4096)
def _plain_header(name: str) -> str:
    plain = plain_name(name).removeprefix("x")
    return plain.removeprefix("wp").removeprefix("pagination")
