"""The flags of a page: that there are further pages, or that it is the last one."""

from collections.abc import Iterable
from typing import Any

from dlt.common.jsonpath import TJsonPath

from analytics_assets.extract.paging.evidence.fields import Field
from analytics_assets.extract.rows.response_body import value_at

MORE = frozenset(
    ("hasmore", "hasnext", "hasnextpage", "moreresults", "istruncated", "truncated", "morepages")
) | {"moreitems", "moreitemsincollection", "morerecords", "moredata"}
LAST = frozenset(
    ("last", "islast", "lastpage", "islastpage", "endofstream", "isend", "done", "nomore")
)
NO = ("false", "0", "no", "n", "")


def flag_in(fields: Iterable[Field]) -> tuple[str, bool] | None:
    """Find a flag such as `has_more` or `end_of_stream`.

    Args:
        fields: the fields of a page.

    Returns:
        Its name, and True if it reports further pages; None if there is none. Of flags that differ,
        one that reports further pages.
    """
    flags = []
    for field in fields:
        if field.plain in MORE and (flag := as_flag(field.value)) is not None:
            flags.append((field.name, flag))
        # `last` may be a link or a number
        elif field.plain in LAST and isinstance(field.value, bool):
            flags.append((field.name, not field.value))
    return max(flags, key=lambda flag: flag[1], default=None)


def named_flag(has_more: TJsonPath | None, last_page: TJsonPath | None, body: Any) -> bool | None:
    """Return the flag that the configuration names.

    Args:
        has_more: the path of a flag for further pages.
        last_page: the path of a flag for the last page.
        body: the decoded body.

    Returns:
        True if it reports further pages; None if the page has no such flag.
    """
    for path, inverted in ((has_more, False), (last_page, True)):
        flag = as_flag(value_at(path, body))
        if flag is not None:
            return flag != inverted
    return None


def as_flag(value: Any) -> bool | None:
    """Return the truth value of a boolean, a number or a text; None for anything else."""
    return str(value).lower() not in NO if isinstance(value, bool | int | float | str) else None
