"""The paginator of an operation, by its parameters and by the fields of its answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analytics_assets.cli.commands.new.proposal.list_rows import ListRows
from analytics_assets.cli.commands.new.proposal.operation import Operation, Parameter
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.extract.paging.evidence.counts import (
    PAGE_COUNT,
    PAGE_SIZES,
    SIZE_PARAMS,
)
from analytics_assets.extract.paging.evidence.fields import Field
from analytics_assets.extract.paging.evidence.flags import LAST, MORE
from analytics_assets.extract.paging.evidence.next_page import NEXT, NextPage, next_page_in
from analytics_assets.extract.rows.response_body import json_path, plain_name

CURSORS = (
    *("cursor", "pagecursor", "startcursor", "pagetoken", "nexttoken", "nextcursor", "after"),
    *("pageafter", "startingafter", "continuationtoken", "continuation", "continue", "marker"),
    *("bookmark", "paginationtoken", "pagingtoken", "nextpagetoken", "startafter", "nextpage"),
    *("endingafter", "startkey", "exclusivestartkey", "scrollid", "position", "afterid", "sinceid"),
)
OFFSETS = ("offset", "skip", "startat", "startindex", "pageoffset", "start", "firstresult", "from")
PAGES = ("page", "pagenumber", "pageno", "pagenum", "pageindex", "currentpage", "p", "pagepage")
END_CURSORS = frozenset(("endcursor", "after", "cursor", "continue", "nextid", "lastid"))
SIZES = SIZE_PARAMS - {"n", "num", "max", "first"} | {"limit"}
# the largest page by its description: `between 1 and 100`, `(max 100)`, `up to 500`
LARGEST = re.compile(
    r"(?:max(?:imum)?\b|up to|at most|no more than|not exceed|between \d+ and|range is \d+ to"
    r"|\b1\s*(?:-|to|\.\.)\s*(?=\d))\D{0,25}?(\d[\d,]*)",
    re.IGNORECASE,
)
FIRST_PAGE = re.compile(
    r"(?:starts?|starting|begins?|beginning|based|first page|indexed)\D{0,25}?\b([01])\b"
    r"|\b([01]|zero|one)[- ](?:based|indexed)",
    re.IGNORECASE,
)
MOST_ROWS = 1_000  # of a page that is proposed
ROWS_BY_DEFAULT = 100


@dataclass(frozen=True)
class Paging:
    """The paginator of an entry, and the parameters of its requests that go with it.

    Args:
        paginator: it, as in an entry.
        params: the size of a page, by parameter.
        used: the parameters that page through the rows.
    """

    paginator: Guess
    params: Mapping[str, Guess] = field(default_factory=dict)
    used: frozenset[str] = frozenset()


def is_paged(operation: Operation) -> bool:
    """Return True if an operation has parameters of a list: the place or the size of a page."""
    names = (*CURSORS, *OFFSETS[:5], *PAGES, *PAGE_SIZES)
    return any(each.plain in names for each in operation.query)


def paging_of(operation: Operation, rows: ListRows) -> Paging:
    """Find the paginator of an operation.

    Args:
        operation: the operation.
        rows: the rows of its answer.
    """
    query, fields = operation.query, rows.fields
    size = _parameter(query, SIZES)
    offset, page = _first(query, OFFSETS), _first(query, PAGES)
    if offset and "string" in offset.kinds and not {"integer", "number"} & offset.kinds:
        offset = None  # the token of a next page
    is_ambiguous = offset and offset.plain in ("start", "from", "startat")
    if offset and is_ambiguous and (not size or offset.takes_time):
        offset = None
    next_page = next_page_in(fields, {})
    if offset and size:  # whose pages are requested ahead
        return _by_offset(offset, size)
    if next_page and next_page.is_url:
        value = {"type": "json_link", "next_url_path": next_page.path}
        return _with_size(Guess(value), frozenset(), size, others=[page, offset])
    cursor = _cursor(query, fields, next_page, rows.selector)
    if cursor and cursor[0].value["cursor_path"]:
        return _with_size(*cursor, size)
    if any(name.lower() == "link" for name in operation.headers):
        return _with_size(Guess("header_link"), frozenset(), size, others=[page])
    if page:
        return _by_number(page, fields, size)
    if offset:
        largest = Guess(ROWS_BY_DEFAULT, "the document names no parameter for the size of a page")
        by_offset = {"type": "offset", "limit": largest, "offset_param": offset.name}
        return Paging(Guess(by_offset), used=frozenset((offset.name,)))
    if cursor:
        name = cursor[0].value["cursor_param"]
        check = f"the answer names no field with the next value of `{name}`"
        return _with_size(Guess("auto", check), cursor[1], size)
    if any(each.plain in NEXT for each in fields):
        return _with_size(
            Guess("auto", "the answer names a next page, and no parameter asks for it"),
            *(frozenset(), size),
        )
    if not rows.schema and not rows.fields:
        return _with_size(
            Guess("auto", "the document does not describe the answer"), frozenset(), size
        )
    if size:
        return _with_size(
            Guess("single_page", "no parameter asks for a further page"), frozenset(), size
        )
    return Paging(Guess("single_page"))


def _by_offset(offset: Parameter, size: Parameter) -> Paging:
    unlimited = Guess(ROWS_BY_DEFAULT, "the document does not limit the size of a page")
    default = size.default if isinstance(size.default, int) and size.default > 1 else None
    limit = _largest(size) or (Guess(default) if default else unlimited)
    value: dict[str, Any] = {"type": "offset", "limit": limit}
    first = 1 if offset.schema.get("minimum") == 1 or offset.default == 1 else 0
    if first:
        value["offset"] = first
    value |= {} if offset.name == "offset" else {"offset_param": offset.name}
    value |= {} if size.name == "limit" else {"limit_param": size.name}
    return Paging(Guess(value), used=frozenset((offset.name, size.name)))


def _by_number(page: Parameter, fields: Sequence[Field], size: Parameter | None) -> Paging:
    value: dict[str, Any] = {"type": "page_number", "base_page": _base_page(page)}
    value |= {} if page.name == "page" else {"page_param": page.name}
    pages = [each for each in fields if PAGE_COUNT.fullmatch(each.plain) and each.value == 1]
    value |= {"total_path": json_path(pages[0].path)} if pages else {}
    return _with_size(Guess(value), frozenset((page.name,)), size)


def _base_page(page: Parameter) -> Guess:
    for stated in (page.schema.get("minimum"), page.default):
        if stated in (0, 1) and not isinstance(stated, bool):
            return Guess(int(stated))
    found = FIRST_PAGE.search(page.description)
    if found:
        first = 0 if (found[1] or found[2]).lower() in ("0", "zero") else 1
        return Guess(first, "the number of the first page, by the parameter's description")
    return Guess(1, "the document does not say if the first page is 0 or 1")


def _cursor(
    query: Sequence[Parameter],
    fields: Sequence[Field],
    token: NextPage | None,
    selector: str | None,
) -> tuple[Guess, frozenset[str]] | None:
    """Return the paginator by a token of each page, and its parameter; None if there is none."""
    params = {each.plain: each for each in query if not _is_moment(each)}
    names = [plain_name(token.name.rpartition(".")[2])] if token else []
    names += [name.removeprefix("next") for name in names]
    numbers = [name for name in names if name in ("page", "nextpage")]
    candidates = [params[name] for name in (*names, *CURSORS) if name in params]
    if "offset" in params and params["offset"].kinds == {"string"}:
        candidates.append(params["offset"])
    if token:  # which may be the time of the last row
        candidates += [params[name] for name in ("until", "before") if name in params]
    if not candidates or (numbers and "page" in params):
        return None
    param, check = candidates[0], None
    path = token.path if token else ""
    if token and param.plain not in names:
        check = f"`{token.name}` of a page is taken for the value of `{param.name}`"
    ends = [each for each in fields if each.plain in END_CURSORS and each.value in ("token", 1)]
    more = next((each for each in fields if each.plain in MORE), None)
    if not path and ends:
        path = json_path(ends[0].path)
    if not path and param.plain in ("startingafter", "afterid", "after") and more:
        path = f"{selector or '$'}[-1].id"  # Stripe's way
        is_said = " id" in param.description.lower()
        check = None if is_said else "the cursor is the `id` of a page's last row"
    value: Any = {"type": "cursor", "cursor_path": path, "cursor_param": param.name}
    if more and path:
        value["has_more_path"] = json_path(more.path)
    else:
        last = next((each for each in fields if each.plain in LAST and each.value is True), None)
        value |= {"last_page_path": json_path(last.path)} if last else {}
    return Guess(value, check), frozenset((param.name,))


def _is_moment(parameter: Parameter) -> bool:
    """Return True for a parameter such as `after` that takes a time, and no cursor."""
    return parameter.plain in ("after", "start") and parameter.takes_time


def _with_size(
    paginator: Guess,
    used: frozenset[str],
    size: Parameter | None,
    others: Sequence[Parameter | None] = (),
) -> Paging:
    """Return a paginator with pages as large as the API allows."""
    names = {each.name for each in others if each}
    if size is None or size.name in used:
        return Paging(paginator, used=used | names)
    largest = _largest(size)
    params = {size.name: largest} if largest else {}
    return Paging(paginator, params, used | names | {size.name})


def _largest(size: Parameter) -> Guess | None:
    """Return the most rows of a page; None if the document does not state any."""
    stated = size.schema.get("maximum")
    if isinstance(stated, int | float) and not isinstance(stated, bool) and stated >= 1:
        return Guess(int(min(stated, MOST_ROWS)))  # infinity, as of `1e999`, is no integer
    found = [int(text.replace(",", "")) for text in LARGEST.findall(size.description)]
    found = [number for number in found if number > 1]
    return Guess(min(*found, MOST_ROWS)) if found else None


def _parameter(query: Sequence[Parameter], names: frozenset[str] | set[str]) -> Parameter | None:
    found = [each for each in query if each.plain in names]
    sized = [each for each in found if each.plain in PAGE_SIZES]
    return next(iter(sized or found), None)


def _first(query: Sequence[Parameter], names: Sequence[str]) -> Parameter | None:
    found = {each.plain: each for each in reversed(query)}
    return next((found[name] for name in names if name in found), None)
