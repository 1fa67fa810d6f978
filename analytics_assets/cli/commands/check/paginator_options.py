"""The options of a paginator, by the names that they have in an entry."""

from typing import Any

from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    HeaderLinkPaginator,
    JSONLinkPaginator,
    PageNumberPaginator,
    RangePaginator,
)


def place_of(paginator: BasePaginator | None) -> str:
    """Return the place in a request at which a paginator selects a page; "" if it follows links."""
    options = vars(paginator) if paginator else {}
    for kind in ("param_name", "cursor_param"):
        if options.get(kind):
            return str(options[kind])
    path = options.get("param_body_path") or options.get("cursor_body_path")
    return f"json.{path}" if path else ""


def remedy_of(paginator: BasePaginator | None, given: Any) -> str:
    """Return the options of an entry's `paginator` to correct."""
    place = place_of(paginator)
    if given in (None, "auto"):
        return "write the API's own `paginator` in `endpoint` of the entry."
    if isinstance(paginator, PageNumberPaginator):
        base = paginator.base_index
        other = 1 - base if base in (0, 1) else 1
        return (
            f"set `page_param` in `paginator` to the API's own name for it, in place of `{place}`, "
            f"or `base_page` to {other} if its first page has that number."
        )
    if isinstance(paginator, RangePaginator):
        return (
            f"set `offset_param` in `paginator` to the API's own name for it, in place of `{place}`"
            ", or its type to `page_number` if it counts pages."
        )
    if isinstance(paginator, JSONLinkPaginator):
        return (
            f"set `next_url_path` in `paginator` to the field with the link to the next page, in "
            f"place of `{paginator.next_url_path}`."
        )
    if isinstance(paginator, HeaderLinkPaginator):
        return (
            "set `links_next_key` in `paginator` to the relation of the next page in the header "
            "`Link`, or its type to the API's own."
        )
    if place:
        path = vars(paginator).get("cursor_path")
        return (
            f"set `cursor_param` in `paginator` to the API's own name for it, in place of "
            f"`{place}`, and `cursor_path` to the field with the cursor of the next page"
            + (f", in place of `{path}`." if path else ".")
        )
    return "set `paginator` in `endpoint` of the entry to the API's own."
