"""The fields of the first pages, compared with those that the entry and the policy name."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlt.common import jsonpath

from analytics_assets.cli.commands.check.finding import Finding
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.text.excerpts import first_names
from analytics_assets.config.text.quantities import count, number
from analytics_assets.config.times.timestamps import TimeFormatError, read_time
from analytics_assets.contract.contract import column_name
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.incremental.window_check import value_in_column
from analytics_assets.extract.sampling.first_pages import FirstPages

Rows = Sequence[dict[str, Any]]
MOST_FIELDS = 20  # that a message lists


def missing_fields(resource: Resource, pages: FirstPages) -> Iterator[Finding]:
    """Yield the fields of the entry and the policy that no row has."""
    missing = [
        *_missing_key(resource, [*pages.sent, *pages.rows]),
        *_missing_as_sent(resource, pages.sent),
        *_missing_in_table(resource, pages.rows),
    ]
    if missing:
        fields = list(dict.fromkeys(name for row in pages.sent for name in row))
        yield Finding(
            f"of {count(len(pages.sent), 'row')} {'; '.join(missing)}. "
            f"Their fields are {_with_columns(fields, resource.policy.rename)}"
        )


def shared_keys(resource: Resource, pages: FirstPages) -> Iterator[Finding]:
    """Yield the key if several rows of one page share it: a table keeps one of them."""
    if resource.is_function or not resource.primary_key or not resource.has_unique_keys:
        return
    if "dedup_sort" in str(resource.columns) or not pages.sample.pages:
        return
    rows = pages.rows[: pages.sample.pages[0].answer.count]
    keys = [[row.get(part) for part in resource.primary_key] for row in rows]
    found: dict[str, set[str]] = {}
    for row, key in zip(rows, keys, strict=True):
        if None not in key:
            text = json.dumps(row, sort_keys=True, default=str)
            found.setdefault(json.dumps(key, default=str), set()).add(text)
    lost = sum(len(each) - 1 for each in found.values())
    if lost:
        key_text = ", ".join(f"`{part}`" for part in resource.primary_key)
        yield Finding(
            f"{number(lost)} of the {count(len(rows), 'row')} on the first page have the key of "
            f"another row, and would take its place: {key_text} does not identify a row. Set "
            "`primary_key` in its entry to the fields that do",
            is_wrong=2 * lost >= len(rows),
        )


def _missing_key(resource: Resource, rows: Rows) -> Iterator[str]:
    """Describe parts of the key that no row has, be it as sent or after the steps."""
    key = () if resource.is_function else resource.primary_key
    for part in key if rows else ():
        if all(row.get(part) is None for row in rows):
            yield (
                f"none has a value in `{part}`: set `primary_key` in its entry to the field that "
                "identifies a row"
            )


def _missing_as_sent(resource: Resource, rows: Rows) -> Iterator[str]:
    load = resource.policy.load
    if isinstance(load, Incremental) and rows:
        path = jsonpath.compile_path(load.field)
        if all(set(jsonpath.find_values(path, row)) <= {None} for row in rows):
            yield (
                f"none has a value in `{load.field}`: set `field` of `Incremental` in its policy "
                "to the field with the time of a row's last change"
            )


def _missing_in_table(resource: Resource, rows: Rows) -> Iterator[str]:
    policy = resource.policy
    if isinstance(policy.load, Partitioned) and rows and not any(days(resource, rows)):
        yield (
            f"none has a value in `{policy.date_column}`: set `date_column` in its policy to the "
            "column of a row's day"
        )


def days(resource: Resource, rows: Rows) -> list[Any]:
    """Return the values of the `date_column` in the table."""
    policy = resource.policy
    column = column_name(str(policy.date_column), {})
    renamed = [{policy.rename.get(name, name): row[name] for name in row} for row in rows]
    values = [value_in_column(row, column) for row in renamed]
    form = resource.contract.formats.get(column)
    return [_in_format(value, form) for value in values] if form else values


def _in_format(value: Any, form: str) -> Any:
    try:
        return read_time(value, form)
    except TimeFormatError:
        return value


def _with_columns(fields: Sequence[str], rename: Mapping[str, str]) -> str:
    """List fields, with their columns where the names differ."""
    columns = {field: column_name(field, rename) for field in fields}
    names = [
        f"`{field}`" if field == column else f"`{field}` (column `{column}`)"
        for field, column in columns.items()
    ]
    return first_names(names, MOST_FIELDS)
