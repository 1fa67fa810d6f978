"""The preview of a resource: its first rows as its table would have them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from dlt.common.schema.typing import DLT_NAME_PREFIX, TColumnSchema

from analytics_assets.cli.sampled_pages import (
    described_pages,
    next_page,
    params_text,
    stated_quality,
)
from analytics_assets.config.text.quantities import count
from analytics_assets.contract.resource import Resource
from analytics_assets.contract.rows.rejected_row import RowKeys
from analytics_assets.contract.sensitive import Sensitive, check_sensitive
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.sampling.loaded_rows import LoadedRows, load_first_rows
from analytics_assets.orchestration.partitions.first_request import newest_window, params_of
from analytics_assets.orchestration.partitions.next_start import next_start
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PreviewedColumn:
    """A column of a table.

    Args:
        name: its name.
        type: its type, by dlt's name; "unknown" if no row has a value.
        nullable: True if a row may have none.
        origin: the origin of the type: "contract", "entry", "policy" or "inferred".
        is_key: True if it is in the primary key.
        is_sensitive: True if its values are not shown.
    """

    name: str
    type: str
    nullable: bool
    origin: str
    is_key: bool
    is_sensitive: bool


@dataclass(frozen=True)
class PreviewedTable:
    """A table: that of the resource, or of a list in its rows.

    Args:
        name: its name.
        columns: its columns, in their order.
        rows: its rows, without sensitive values.
    """

    name: str
    columns: Sequence[PreviewedColumn]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Preview:
    """The preview of a resource.

    Args:
        resource: the resource, as `api/resource`.
        asked: the first request, without a sign-in; None if there was none.
        params: the parameters of its window, or of its cursor.
        pages: the pages in a sentence.
        next: the page that the paginator would ask for next, in a sentence.
        tables: the table of the resource, then those of lists in its rows.
        rejected: the rejected rows, each as its key and the reason.
        notes: sentences about the requests and the answers.
    """

    resource: str
    asked: requests.Request | None
    params: Mapping[str, Any]
    pages: str
    next: str
    tables: Sequence[PreviewedTable]
    rejected: Sequence[tuple[Row, str]]
    notes: Sequence[str] = ()


def preview_of(resource: Resource, connection: Connection, now: datetime, rows: int) -> Preview:
    """Request the first rows of a resource, and make of them what a load does; loads nothing.

    The request of a partitioned resource is for its newest finished partition, and if that has no
    rows for those of a scheduled load; that of an incremental one for changes since the last load,
    or `initial_value` before the first.

    Args:
        resource: the resource.
        connection: the connection to its API.
        now: the moment up to which partitions have ended.
        rows: the most rows.

    Raises:
        ConfigurationError: `sensitive` has a name that hides nothing.
        dlt.extract.exceptions.ResourceExtractionError: a request failed; its cause is an
            `ApiError` with the reason.
    """
    check_sensitive(resource, resource.contract)
    since, notes = None, list[str]()
    try:
        since = next_start(resource, Warehouse.from_settings(resource.api_name))
    except WarehouseError:
        notes.append("The warehouse cannot be opened now: `initial_value` was asked for.")
    newest, usual = newest_window(resource, now, most=1), newest_window(resource, now)
    params = params_of(resource, newest, since)
    found = load_first_rows(resource, connection, params, rows)
    if not found.tables[found.table] and usual != newest:
        notes.append(f"There were no rows for {params_text(params)}.")
        params = params_of(resource, usual)
        found = load_first_rows(resource, connection, params, rows)
    if found.sample.error:
        notes.append(f"A later page failed: {found.sample.error}")
    if found.deleted:
        notes.append(f"{count(found.deleted, 'row')} would delete the table's row of the same key.")
    if stated := stated_quality(found.sample):
        notes.append(f"{stated[0].upper()}{stated[1:]}.")
    sample, sensitive = found.sample, Sensitive.of(resource, resource.contract)
    return Preview(
        resource=resource.full_name,
        asked=sample.pages[0].request if sample.pages else None,
        params=params,
        pages=described_pages(sample, len(found.tables[found.table]), params),
        next=next_page(sample) if sample.pages else "",
        tables=list(_tables(resource, found, sensitive)),
        rejected=list(_rejected(resource, found, sensitive)),
        notes=notes,
    )


def _tables(
    resource: Resource, found: LoadedRows, sensitive: Sensitive
) -> Iterator[PreviewedTable]:
    for name, rows in found.tables.items():
        columns = [
            _column(resource, column, name == found.table, sensitive)
            for key, column in found.columns[name].items()
            if not key.startswith(DLT_NAME_PREFIX)
        ]
        shown = [each.name for each in columns if not each.is_sensitive]
        values = [{key: sensitive.shown(key, row.get(key)) for key in shown} for row in rows]
        yield PreviewedTable(name, columns, values)


def _column(
    resource: Resource, column: TColumnSchema, is_own: bool, sensitive: Sensitive
) -> PreviewedColumn:
    name = str(column["name"])
    by_contract = {each.name: each for each in resource.contract.columns} if is_own else {}
    hints = resource.columns if isinstance(resource.columns, dict) and is_own else {}
    by_entry = {
        resource.contract.name_of(field) for field, hint in hints.items() if "data_type" in hint
    }
    origin = "inferred"
    if name in by_entry:
        origin = "entry"
    elif name in by_contract:
        origin = "contract"
    elif is_own and name in resource.contract.formats:
        origin = "policy"
    known = by_contract.get(name)
    return PreviewedColumn(
        name=name,
        type=str(column.get("data_type", "unknown")),
        nullable=known.may_be_null if known else column.get("nullable") is not False,
        origin=origin,
        is_key=is_own and name in resource.contract.key_columns,
        is_sensitive=sensitive.hides(name),
    )


def _rejected(
    resource: Resource, found: LoadedRows, sensitive: Sensitive
) -> Iterator[tuple[Row, str]]:
    keys = RowKeys(resource.contract)
    for each in found.rejected:
        yield sensitive.row(keys.of(each.row) or {}), each.reason
