"""The first page of a resource, held against what its entry and its policy say of its rows."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from dlt.common import jsonpath

from analytics_assets.config.api import Api, parents_of
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Incremental, Load, Partitioned
from analytics_assets.contract.contract import column_name
from analytics_assets.extract.entry import is_dlt_resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.incremental.time_window import TimeWindow, with_params
from analytics_assets.extract.incremental.window_check import refuse_rows_outside, value_in_column
from analytics_assets.extract.source import sample_source
from analytics_assets.orchestration.partitions.definition import finished_partitions, time_window_of

Rows = Sequence[dict[str, Any]]


class FirstPageError(AnalyticsAssetsError):
    """No row has what the entry or the policy of the resource names."""


def look_at_first_page(api: Api, resource: str, connection: Connection, now: datetime) -> str:
    """Ask for the first page of a resource as a load would, and hold its rows against `api.py`.

    A resource that is loaded by partitions is asked for its newest ones that are over, one that is
    loaded by what is new from `initial_value` on.

    Args:
        api: the API.
        resource: the resource.
        connection: what to send the request with.
        now: the moment that says which partitions there are.

    Returns:
        What came, in words: "100 rows on the first page".

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: the request failed; its cause is an
            `ApiError` that says why.
        FirstPageError: no row has a value in the primary key, in the `date_column` of a
            partitioned resource, or in the `field` of an incremental one.
        WindowIgnoredError: most rows lie outside of the partitions.
    """
    load = api.policy(resource).load
    window = _newest_window(load, now) if isinstance(load, Partitioned) else None
    params = _params(load, window)
    sent, rows = _first_page(api, resource, connection, params)
    asked = ", ".join(f"{name}={value}" for name, value in params.items())
    what = f"{len(rows) or 'no'} rows on the first page{f' for {asked}' if asked else ''}"
    _refuse_what_is_missing(api, resource, sent, rows)
    if window is None or not rows:
        return what
    outside = _count_outside(api, resource, window, rows)
    return f"{what}, {outside or 'none'} of them outside of that"


def _newest_window(load: Partitioned, now: datetime) -> TimeWindow | None:
    """Return the span of the newest partitions that are over; None if none is over yet."""
    keys = finished_partitions(load, now)[-min(load.lookback + 1, load.longest_window) :]
    return time_window_of(load, keys) if keys else None


def _params(load: Load, window: TimeWindow | None) -> Mapping[str, str]:
    if isinstance(load, Incremental):
        return {load.param: load.initial_value}
    return window.params if window else {}


def _first_page(
    api: Api, resource: str, connection: Connection, params: Mapping[str, str]
) -> tuple[Rows, Rows]:
    """Return the rows as the API sent them, and after the entry's own `processing_steps`.

    Of a resource that is read from the rows of another, it is those of that one's first page.
    """
    config = with_params(api.config_of(resource), resource, params)
    source = sample_source(config, api.name, connection).with_resources(resource)
    for each in source.resources.values():
        if not each.is_transformer:
            each.add_limit(1)
    sent: list[dict[str, Any]] = []

    def keep(row: Any) -> Any:
        if isinstance(row, dict):
            sent.append(dict(row))
        return row

    # a load checks rows before the steps see them
    wanted = source.resources[resource].add_map(keep, insert_at=1)
    return sent, [row for row in wanted if isinstance(row, dict)]


def _refuse_what_is_missing(api: Api, resource: str, sent: Rows, rows: Rows) -> None:
    missing = [*_missing_as_sent(api, resource, sent), *_missing_in_table(api, resource, rows)]
    if missing:
        fields = list(dict.fromkeys(name for row in sent for name in row))
        raise FirstPageError(
            f"{resource}: of the {len(sent)} rows on the first page {'; '.join(missing)}. Their "
            f"fields are {_with_columns(fields, api.policy(resource).rename)}."
        )


def _missing_as_sent(api: Api, resource: str, rows: Rows) -> Iterator[str]:
    load = api.policy(resource).load
    for part in _primary_key(api, resource) if rows else ():
        if all(row.get(part) is None for row in rows):
            yield (
                f"none has a value in `{part}`: set `primary_key` in its entry to the field that "
                "tells its rows apart"
            )
    if isinstance(load, Incremental) and rows:
        path = jsonpath.compile_path(load.field)
        if all(set(jsonpath.find_values(path, row)) <= {None} for row in rows):
            yield (
                f"none has a value in `{load.field}`: set `field` of `Incremental` in its policy "
                "to the field that says when a row changed"
            )


def _missing_in_table(api: Api, resource: str, rows: Rows) -> Iterator[str]:
    policy = api.policy(resource)
    if isinstance(policy.load, Partitioned) and rows and not any(_days(api, resource, rows)):
        yield (
            f"none has a value in `{policy.date_column}`: set `date_column` in its policy to the "
            "column that says which day a row is about"
        )


def _primary_key(api: Api, resource: str) -> Sequence[str]:
    entries = api.config_of(resource)["resources"]
    own_of_dlt = any(is_dlt_resource(each) and each.name == resource for each in entries)
    return () if own_of_dlt else api.primary_key(resource)


def _days(api: Api, resource: str, rows: Rows) -> list[Any]:
    """Return what the table would hold in its `date_column`."""
    policy = api.policy(resource)
    column = column_name(str(policy.date_column), {})
    renamed = [{policy.rename.get(name, name): row[name] for name in row} for row in rows]
    return [value_in_column(row, column) for row in renamed]


def _count_outside(api: Api, resource: str, window: TimeWindow, rows: Rows) -> int:
    """Count the rows outside of a span of time.

    Raises:
        WindowIgnoredError: they are most; the reads of a child are many, and are counted only.
    """
    days = _days(api, resource, rows)
    outside = len(days) - sum(map(window.reach.contains, days))
    if not parents_of(api.entry(resource)):
        column = str(api.policy(resource).date_column)
        dated = len(days) - days.count(None)
        refuse_rows_outside(resource, column, window, len(days), outside, dated)
    return outside


def _with_columns(fields: Sequence[str], rename: Mapping[str, str]) -> str:
    """Name fields, and their columns where those are called otherwise."""
    columns = {field: column_name(field, rename) for field in fields}
    return ", ".join(
        f"`{field}`" if field == column else f"`{field}` (column `{column}`)"
        for field, column in columns.items()
    )
