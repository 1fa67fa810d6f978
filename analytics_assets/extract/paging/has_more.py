"""Fields of a page by which an API marks further pages, such as `has_more` or `next_cursor`."""

from collections.abc import Mapping
from typing import Any

from dlt.common import jsonpath
from dlt.common.jsonpath import TJsonPath

from analytics_assets.extract.paging.total import CONTAINERS, as_count
from analytics_assets.extract.rows.response_body import plain_name

MORE = frozenset(("hasmore", "hasnext", "hasnextpage", "moreresults", "istruncated"))
NEXT = frozenset(
    ("nextpagetoken", "nextcursor", "nexttoken", "nextlink", "odatanextlink", "nextpageurl")
)
NO = ("false", "0", "no", "")


def evidence_of_more(body: Any, rows: int, detected: bool) -> str | None:
    """Find a field of a page that reports further rows.

    Args:
        body: the page.
        rows: the number of its rows.
        detected: True if dlt has detected the paginator; a `count` above `rows` then also reports
            further rows.

    Returns:
        The field and its value as a phrase; None if there is none, or if another field reports
        the end.
    """
    fields = list(_fields(body))
    flags = [(name, as_bool(value)) for name, value in fields if plain_name(name) in MORE]
    if flags:
        return next((f"`{name}` is true" for name, has_more in flags if has_more), None)
    for name, value in fields:
        if plain_name(name) in NEXT and isinstance(value, str) and value:
            return f"it has `{name}`"
        count = as_count(value) if plain_name(name) in ("count", "odatacount") else None
        if detected and count is not None and count > rows:
            return f"`{name}` is {count}"
    return None


def reports_last_page(body: Any) -> bool:
    """Return True if a field of a page reports that it is the last one."""
    flags = [as_bool(value) for name, value in _fields(body) if plain_name(name) in MORE]
    return bool(flags) and not any(flags)


def reported_has_more(path: TJsonPath | None, body: Any) -> bool | None:
    """Return the truth value at `has_more_path` of a page; None if there is none."""
    found = jsonpath.find_values(path, body) if path else []
    return None if not found or found[0] is None else as_bool(found[0])


def as_bool(value: Any) -> bool:
    """Return the truth value of a boolean, a number or a text."""
    return str(value).lower() not in NO


def _fields(body: Any, depth: int = 2) -> Any:
    if isinstance(body, Mapping):
        yield from body.items()
        for name, value in body.items():
            if depth and plain_name(name) in CONTAINERS:
                yield from _fields(value, depth - 1)
