"""Rows of an object whose keys are data, such as days."""

from collections.abc import Iterator, Mapping
from typing import Any

from analytics_assets.config.entry.rows import Entries
from analytics_assets.config.text.json_kind import json_kind
from analytics_assets.extract.rows.reshaping.errors import RowsError

Keyed = tuple[dict[str, Any], Any]  # the columns of the keys, and what is there


def keyed_rows(entries: Entries, body: Any, is_zipped: bool = False) -> Iterator[Keyed]:
    """Yield what becomes rows, each with the columns of its keys.

    PHP writes an object without fields as an empty list, which has no rows.

    Args:
        entries: the names of the columns.
        body: the object.
        is_zipped: True if lists become rows by their headers.

    Raises:
        RowsError: something else than an object is in the place of one, or a value has no column.
    """
    for keys, found in _descend(entries.keys, body, {}):
        if not isinstance(found, list) or (is_zipped and not _has_rows(found)):
            yield keys, _row(entries, keys, found, is_zipped)
            continue
        for each in found:
            yield keys, _row(entries, keys, each, is_zipped)


def _has_rows(found: list[Any]) -> bool:
    """Return True if a list has rows, be they objects or lists; else it is one itself."""
    return not found or isinstance(found[0], dict | list)


def _descend(columns: tuple[str, ...], found: Any, keys: dict[str, Any]) -> Iterator[Keyed]:
    if not columns:
        yield keys, found
        return
    if found == []:
        return
    if not isinstance(found, Mapping):
        where = f"in the place of the object whose keys are `{columns[0]}`"
        raise RowsError(
            f"the API answered with {json_kind(found)} {where}; correct `entries` in `rows` of the "
            "entry, or its `data_selector`"
        )
    for key, value in found.items():
        yield from _descend(columns[1:], value, {**keys, columns[0]: key})


def _row(entries: Entries, keys: dict[str, Any], found: Any, is_zipped: bool) -> Any:
    if isinstance(found, Mapping) or (is_zipped and isinstance(found, list)):
        return found
    if entries.value is None or isinstance(found, list):
        named = f"of `{entries.keys[-1]}`"
        remedy = (
            "name its column by `value`" if not isinstance(found, list) else "name them by `zip`"
        )
        raise RowsError(
            f"a value {named} is {json_kind(found)}, which has no fields; {remedy} in `rows` of "
            "the entry"
        )
    return {entries.value: found}
