"""The `data_selector` of an entry: the rows that it selects must show where the next page is."""

import re
from functools import cache

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
)


def is_filter(selector: str) -> bool:
    """Return True if a selector filters a list."""
    return "?" in without_names(selector)


def without_names(selector: str) -> str:
    """Return a selector without the names in quotation marks."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", selector)


def wrong_selector(selector: str, paginator: BasePaginator | None) -> str | None:
    """Describe a selector by whose rows the paginator cannot count; None if nothing is wrong.

    Args:
        selector: the `data_selector`.
        paginator: the one that dlt makes of the entry; None if it detects it.
    """
    if isinstance(paginator, OffsetPaginator) and selector.count("[*]") > 1:
        return (
            "`data_selector` finds rows within rows, so that an offset cannot be counted by them. "
            "Select the outer rows; dlt makes a child table of the inner ones."
        )
    if is_filter(selector) and isinstance(paginator, OffsetPaginator | PageNumberPaginator | None):
        return (
            "`data_selector` leaves rows out, so that those it finds do not show where the next "
            "page begins or whether it is the last. Select the whole list, and leave rows out by "
            '`"processing_steps": [{"filter": ...}]`; or set `paginator` to \'single_page\' if '
            "there is only one page."
        )
    return None


@cache  # a parser is made for each path, 0.3 ms, and hundreds of resources have the same one
def unreadable_path(path: str) -> str:
    """Return the reason why a path of JSON cannot be read; empty if it can."""
    try:
        jsonpath.compile_path(path)
    except Exception as error:  # the parser's own, and those of its lexer
        return str(error).strip().rstrip(".!") or type(error).__name__
    return ""
