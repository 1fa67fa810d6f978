"""The evidence in one page: all that it states about the end of its read."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
)
from requests.structures import CaseInsensitiveDict

from analytics_assets.config.validation.paginator import own_options
from analytics_assets.extract.paging.evidence.counts import (
    TOTAL_HEADERS,
    Count,
    Unit,
    as_count,
    counts_in,
    is_count,
    page_sizes_in,
    total_in,
    unit_of,
)
from analytics_assets.extract.paging.evidence.fields import Field, fields_of
from analytics_assets.extract.paging.evidence.flags import flag_in, named_flag
from analytics_assets.extract.paging.evidence.next_page import (
    LINKS,
    NextPage,
    denies_next_page,
    is_reference,
    is_same_url,
    next_page_in,
)
from analytics_assets.extract.rows.response_body import plain_name, values_at

NO_COUNTS: Mapping[str, Count] = {}
# headers about the read, besides those that count rows or pages
OF_READS = frozenset(name.lower() for name in (*TOTAL_HEADERS, "Content-Range", "Link"))
CONTAINERS = frozenset(
    ("meta", "metadata", "pagination", "paging", "page", "pageinfo", "pageable", "response")
) | {"info", "additionaldata", "resultinfo", "responsemetadata", "paginginfo", "paginationinfo"}


class Evidence(NamedTuple):
    """The evidence in one page.

    Args:
        total: the number of all rows, by a field or header that is no other number.
        counts: the numbers that may count all rows or pages, by field or header.
        sizes: the numbers that are the size of a page.
        flag: the name of a flag, and True if it reports further pages; None if there is none.
        next_page: the reference to a next page; None if there is none.
        named_flag: the flag that the configuration names; None if it names none, or it is missing.
        stated_total: the number of all rows, also where the configuration leaves it out.
        denies_next: True if a field for the reference to a next page has none.
    """

    total: int | None = None
    counts: Mapping[str, Count] = NO_COUNTS
    sizes: Collection[int] = ()
    flag: tuple[str, bool] | None = None
    next_page: NextPage | None = None
    named_flag: bool | None = None
    stated_total: int | None = None
    denies_next: bool = False

    @property
    def reports_zero(self) -> bool:
        """True if a number of all rows is zero."""
        return self.stated_total == 0 or 0 in self._row_counts

    @property
    def reports_last(self) -> bool:
        """True if a flag reports that this is the last page."""
        return self.flag is not None and not self.flag[1]

    @property
    def reports_more(self) -> bool:
        """True if a flag reports further pages, or a reference to one does and no flag the end."""
        return self.flag[1] if self.flag else self.next_page is not None

    @property
    def _row_counts(self) -> list[int]:
        return [count.value for count in self.counts.values() if count.unit is Unit.ROWS]

    def reports_no_rows(
        self, total: int | None, received: int, is_null: bool, is_known: bool
    ) -> bool:
        """Return True if a page with nothing in the place of its rows reports that it has none.

        Google's JSON leaves empty lists out, and others say null.

        Args:
            total: the number of all rows, if the API gives it.
            received: the number of rows on the pages before.
            is_null: True if null is in the place of the rows, rather than nothing.
            is_known: True if the place is known to be right: by an earlier page, by the contract,
                or by the configuration.
        """
        stated = self.stated_total if total is None else total
        more = self.reports_more or any(count > received for count in self._row_counts)
        if more or stated not in (None, received):
            return False
        agrees = stated == received or (received == 0 and self.reports_zero)
        ends = self.reports_last or self.denies_next
        return is_known or agrees or (is_null and ends)


class EvidenceFinder:
    """Finds the evidence in pages.

    Args:
        given: the `paginator` of the entry.
        paginator: the one that dlt makes of it.
        selector: the path of the rows.
        counted: False to leave out the number of all rows.
        keyed: True if rows are made of an object's keys: no number counts them, unless the
            configuration names it.

    Attributes:
        names_total: True if the configuration names the number of all rows.

    Raises:
        ConfigurationError: the `paginator` cannot be used.
    """

    def __init__(
        self,
        given: Any = None,
        paginator: BasePaginator | None = None,
        selector: str = "",
        counted: bool = True,
        keyed: bool = False,
    ) -> None:
        named = own_options(given, paginator)
        self._total_path = named["total_path"]
        self._flag_paths = named["has_more_path"], named["last_page_path"]
        self._flag_name = str(self._flag_paths[0] or self._flag_paths[1])
        self._ignored = frozenset(named["ignored_fields"] or ())
        ignores_total = isinstance(paginator, OffsetPaginator) and paginator.total_path is None
        self._counted = counted and not ignores_total
        self._has_page_numbers = isinstance(paginator, PageNumberPaginator)
        self._unit = unit_of(self._total_path, self._has_page_numbers)
        self.names_total = bool(self._total_path) and self._unit is Unit.ROWS
        self._has_no_row_count = keyed and not self.names_total
        on_the_way = {plain_name(name) for name in re.findall(r"\w+", selector)}
        self._containers = CONTAINERS | LINKS | on_the_way
        # the last page, as many have the same body beside their rows and their link
        self._known: tuple[Any, Mapping[str, str], Evidence] | None = None

    def find(self, body: Any, headers: Mapping[str, str], url: str = "") -> Evidence:
        """Find the evidence in a page.

        Args:
            body: the decoded body; its rows, and what is in them, are no evidence.
            headers: those of the response.
            url: the URL of the request; a link to itself leads nowhere.
        """
        telling = {name: headers[name] for name in _telling(tuple(headers))}
        known = self._known  # children may be read in threads
        if known and known[1] == telling:
            again = _with_next_page(known[2], known[0], body, url)
            if again:
                return again
        fields, headers = self._fields_of(body), self._kept(telling)
        found = self._found(fields, headers, body, url)
        # a link to the page itself is one on all other pages
        has_link_to_itself = found.next_page != next_page_in(fields, headers)
        self._known = None if has_link_to_itself else (body, telling, found)
        return found

    def _found(
        self, fields: list[Field], headers: Mapping[str, str], body: Any, url: str
    ) -> Evidence:
        path, counts = self._total_path, counts_in(fields, headers)
        named = values_at(path, body)
        if self._unit is Unit.ROWS:
            total = as_count(named[0]) if named else total_in(fields, headers)
        else:
            total = total_in(fields, headers, without=str(path).removeprefix("$."))
            count = as_count(named[0]) if named else None
            counts |= {} if count is None else {str(path): Count(count, self._unit)}
        if self._has_no_row_count:
            total = None
            pages = counts.items() if self._has_page_numbers else ()
            counts = {name: each for name, each in pages if each.unit is Unit.PAGES}
        flag = named_flag(*self._flag_paths, body)
        return Evidence(
            total if self._counted else None,
            counts,
            page_sizes_in(fields),
            flag_in(fields) if flag is None else (self._flag_name, flag),
            next_page_in(fields, headers, url),
            flag,
            total,
            denies_next_page(fields),
        )

    def _fields_of(self, body: Any) -> list[Field]:
        fields = fields_of(body, self._containers)
        if not self._ignored:
            return list(fields)
        return [each for each in fields if self._ignored.isdisjoint((each.path[-1], each.name))]

    def _kept(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        return CaseInsensitiveDict(
            {name: text for name, text in headers.items() if name not in self._ignored}
        )


def _with_next_page(known: Evidence, before: Any, body: Any, url: str) -> Evidence | None:
    """Return the evidence of a page that differs from the one before in its reference at most.

    Args:
        known: the evidence of the page before.
        before: its body.
        body: that of the page.
        url: the URL of the request for it.
    """
    page = known.next_page
    if before is body:
        return None if page and is_same_url(url, page.value) else known
    if page is None:
        return None
    if not (isinstance(before, dict) and isinstance(body, dict) and page.name in before):
        return None
    value = body.get(page.name)
    if before[page.name] != page.value or not is_reference(value) or is_same_url(url, value):
        return None
    if {**before, page.name: value} != body:
        return None
    return known._replace(next_page=page._replace(value=value))


@lru_cache(maxsize=64)
def _telling(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the headers that are evidence, among those of a page."""
    return tuple(name for name in names if name.lower() in OF_READS or is_count(name))
