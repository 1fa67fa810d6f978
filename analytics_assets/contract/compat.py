"""Undocumented interfaces of dlt 1.31 for contracts, each with a test of dlt's behaviour."""

from datetime import date, datetime, time
from typing import Any

from dlt.common.normalizers.naming.snake_case import NamingConvention
from dlt.common.time import parse_iso_like_datetime
from dlt.sources.helpers.rest_client.detector import RECORD_KEY_PATTERNS, single_entity_path
from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

_SNAKE_CASE = NamingConvention()


def snake_case(name: str) -> str:
    """Return the name of a column as dlt stores it, `__` for a nested field kept.

    The naming convention is documented, `NamingConvention.normalize_path` is not:
    https://dlthub.com/docs/general-usage/naming-convention
    """
    return _SNAKE_CASE.normalize_path(name)


def parse_time(text: str) -> date | datetime | time:
    """Parse a text as dlt 1.31 does to infer that it is a time.

    Raises:
        ValueError: the text is no time.
    """
    return parse_iso_like_datetime(text)


def is_record_key(name: str) -> bool:
    """Return True if dlt 1.31 prefers a list of this name as the rows of a response."""
    return name in RECORD_KEY_PATTERNS


def is_single_page(paginator: Any) -> bool:
    """Return True if a response may be a single object: dlt 1.31 has no or one page to follow.

    Args:
        paginator: that of an entry or of the client; None if dlt detects it.
    """
    kind = paginator.get("type") if isinstance(paginator, dict) else paginator
    return kind in (None, "auto", "single_page") or isinstance(kind, SinglePagePaginator)


def is_single_entity(path: str) -> bool:
    """Return True if dlt 1.31 expects a single object of a path: one that ends with a parameter."""
    return single_entity_path(path)
