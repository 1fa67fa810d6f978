"""The first page of a resource, compared with the fields that its entry and policy name."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from dlt.common import jsonpath

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.resource import parents_of
from analytics_assets.config.text.quantities import count, number
from analytics_assets.config.times.timestamps import TimeFormatError, read_time
from analytics_assets.config.times.window import TimeWindow
from analytics_assets.contract.contract import column_name
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.incremental.window_check import WindowCheck, value_in_column
from analytics_assets.extract.source import sample_source
from analytics_assets.orchestration.partitions.first_request import newest_window, params_of

Rows = Sequence[dict[str, Any]]


class FirstPageError(AnalyticsAssetsError):
    """No row has a field that the entry or the policy of the resource names."""


def describe_first_page(resource: Resource, connection: Connection, now: datetime) -> str:
    """Request the first page of a resource as a load does, and compare its rows with `api.py`.

    The request of a partitioned resource is for its newest finished partitions, that of an
    incremental one for changes since `initial_value`.

    Args:
        resource: the resource.
        connection: the connection to its API.
        now: the moment up to which partitions have ended.

    Returns:
        The outcome, such as "100 rows on the first page".

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: the request failed; its cause is an
            `ApiError` with the reason.
        FirstPageError: no row has a value in the primary key, in the `date_column` of a
            partitioned resource, or in the `field` of an incremental one.
        WindowIgnoredError: most rows lie outside of the partitions.
    """
    window = newest_window(resource, now)
    params = params_of(resource, window)
    sent, rows = _first_page(resource, connection, params)
    requested = ", ".join(f"{name}={value}" for name, value in params.items())
    found = count(len(rows), "row") if rows else "no rows"
    text = f"{found} on the first page{f' for {requested}' if requested else ''}"
    _refuse_missing_fields(resource, sent, rows)
    if window is None or not rows:
        return text
    outside = _count_outside(resource, window, rows)
    return f"{text}, {number(outside) if outside else 'none'} of them outside of that"


def _first_page(
    resource: Resource, connection: Connection, params: Mapping[str, Any]
) -> tuple[Rows, Rows]:
    """Return the rows as the API sent them, and after the entry's own `processing_steps`.

    The rows of a resource that is read from the rows of another are those of that one's first page.
    """
    config = with_params(resource.config, resource.name, params)
    source = sample_source(config, resource.api_name, connection, resource.absent)
    source = source.with_resources(resource.name)
    for each in source.resources.values():
        if not each.is_transformer:
            each.add_limit(1)
    sent: list[dict[str, Any]] = []

    def keep(row: Any) -> Any:
        if isinstance(row, dict):
            sent.append(dict(row))
        return row

    rows = source.resources[resource.name].add_map(keep, insert_at=1)
    return sent, [row for row in rows if isinstance(row, dict)]


def _refuse_missing_fields(resource: Resource, sent: Rows, rows: Rows) -> None:
    missing = [
        *_missing_key(resource, [*sent, *rows]),
        *_missing_as_sent(resource, sent),
        *_missing_in_table(resource, rows),
    ]
    if missing:
        fields = list(dict.fromkeys(name for row in sent for name in row))
        raise FirstPageError(
            f"{resource.name}: of the {count(len(sent), 'row')} on the first page "
            f"{'; '.join(missing)}. "
            f"Their fields are {_with_columns(fields, resource.policy.rename)}."
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
    if isinstance(policy.load, Partitioned) and rows and not any(_days(resource, rows)):
        yield (
            f"none has a value in `{policy.date_column}`: set `date_column` in its policy to the "
            "column of a row's day"
        )


def _days(resource: Resource, rows: Rows) -> list[Any]:
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


def _count_outside(resource: Resource, window: TimeWindow, rows: Rows) -> int:
    """Count the rows outside of a time window.

    Raises:
        WindowIgnoredError: most are; for a child, which has many requests, they are only counted.
    """
    check = WindowCheck(resource.name, str(resource.policy.date_column), window)
    check.count(_days(resource, rows))
    if not parents_of(resource.entry):
        check.refuse_rows_outside()
    return check.outside


def _with_columns(fields: Sequence[str], rename: Mapping[str, str]) -> str:
    """List fields, with their columns where the names differ."""
    columns = {field: column_name(field, rename) for field in fields}
    return ", ".join(
        f"`{field}`" if field == column else f"`{field}` (column `{column}`)"
        for field, column in columns.items()
    )
