"""Endpoints of the benchmark's API in dlt's configuration, the same for every loader on dlt."""

from collections.abc import Mapping
from typing import Any

from analytics_assets_tests.project.benchmarks.server.pages import ROWS_PER_PAGE

OFFSET, PAGE_NUMBER, CURSOR, POST = "offset", "page_number", "cursor", "post"
PAGINATORS: Mapping[str, Mapping[str, Any]] = {
    OFFSET: {"type": "offset", "limit": ROWS_PER_PAGE, "total_path": "total"},
    PAGE_NUMBER: {"type": "page_number", "base_page": 0, "total_path": "pages"},
    CURSOR: {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
    POST: {
        "type": "offset",
        "limit": ROWS_PER_PAGE,
        "offset_body_path": "offset",
        "limit_body_path": "limit",
        "total_path": "total",
    },
}


def entries(names: tuple[str, ...], paging: str) -> list[dict[str, Any]]:
    """Return the entries of resources.

    Args:
        names: the resources.
        paging: the way to the next page, of `PAGINATORS`.
    """
    return [{"name": name, "endpoint": _endpoint(name, paging)} for name in names]


def _endpoint(name: str, paging: str) -> dict[str, Any]:
    endpoint = {
        "path": f"/v1/{name}",
        "data_selector": "data",
        "paginator": dict(PAGINATORS[paging]),
    }
    return {**endpoint, "method": "POST", "json": {}} if paging == POST else endpoint
