"""The fields of a page that say whether there is more: `has_more`, `next_cursor` and the like."""

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


def sign_of_more(body: Any, rows: int, detected: bool) -> str | None:
    """Find the field of a page which says that there are further rows.

    Args:
        body: the page.
        rows: how many rows it has.
        detected: whether dlt has detected the paginator; a `count` beyond the page then is a
            sign, too.

    Returns:
        The field, with its name; None if there is none, or if another says that this is the end.
    """
    fields = list(_fields(body))
    said = [(name, as_truth(value)) for name, value in fields if plain_name(name) in MORE]
    if said:
        return next((f"`{name}` is true" for name, more in said if more), None)
    for name, value in fields:
        if plain_name(name) in NEXT and isinstance(value, str) and value:
            return f"it has `{name}`"
        count = as_count(value) if plain_name(name) in ("count", "odatacount") else None
        if detected and count is not None and count > rows:
            return f"`{name}` is {count}"
    return None


def says_no_more(body: Any) -> bool:
    """Return True if a page says by itself that it is the last one."""
    said = [as_truth(value) for name, value in _fields(body) if plain_name(name) in MORE]
    return bool(said) and not any(said)


def says_more(path: TJsonPath | None, body: Any) -> bool | None:
    """Return the truth value at `has_more_path` of a page; None if there is none."""
    found = jsonpath.find_values(path, body) if path else []
    return None if not found or found[0] is None else as_truth(found[0])


def as_truth(value: Any) -> bool:
    """Return a truth value that may have come as a number or a text."""
    return str(value).lower() not in NO


def _fields(body: Any, depth: int = 2) -> Any:
    if isinstance(body, Mapping):
        yield from body.items()
        for name, value in body.items():
            if depth and plain_name(name) in CONTAINERS:
                yield from _fields(value, depth - 1)
