"""The newest rows of a table, as the asset's page shows them."""

import json
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dlt.common.schema.typing import DLT_NAME_PREFIX

from analytics_assets.config.text.excerpts import excerpt
from analytics_assets.contract.resource import Resource
from analytics_assets.contract.sensitive import Sensitive
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.queries.newest_rows import newest_rows
from analytics_assets.warehouse.queries.tables import Tables

OF_THE_EMBEDDED_API = 5  # rows, if the policy has no `preview`
MOST_COLUMNS = 8  # wider ones make the page scroll sideways
LONGEST = 40  # characters of a value
MOST_EXACT = 2**53  # whole number in JavaScript


def preview(tables: Tables, resource: Resource, *, embedded: bool) -> dg.TableMetadataValue | None:
    """Return the newest rows of a resource's table, by its policy; None if it shows none.

    Columns of dlt and sensitive ones are left out, and others beyond the first eight.

    Args:
        tables: the open warehouse.
        resource: the resource.
        embedded: True for the embedded API, whose rows are public.
    """
    policy, columns = resource.policy, tables.columns(resource.table)
    count = (OF_THE_EMBEDDED_API if embedded else 0) if policy.preview is None else policy.preview
    sensitive = Sensitive.of(resource, resource.contract)
    shown = [
        name
        for name in columns
        if not name.startswith(DLT_NAME_PREFIX) and not sensitive.hides(name)
    ][:MOST_COLUMNS]
    if not count or not shown:
        return None
    day = tables.column_name(policy.date_column) if policy.date_column else None
    by = day if day in columns else None
    rows = newest_rows(tables, resource.table, shown, by, count)
    records = [
        dg.TableRecord({name: _as_text(sensitive.shown(name, row[name])) for name in row})
        for row in rows
    ]
    kinds = [dg.TableColumn(name, str(columns[name].get("data_type", "unknown"))) for name in shown]
    return dg.MetadataValue.table(records, dg.TableSchema(kinds)) if records else None


def _as_text(value: Any) -> str | int | float | bool | None:
    """Return a value as the page shows it: a time in UTC, a long text cut, no secret.

    A number that JSON or JavaScript does not have is a text: Dagster's page ends with one.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= MOST_EXACT:
        return value
    if isinstance(value, datetime):
        text = _in_utc(value).replace(tzinfo=None).isoformat(" ", "auto")
    elif isinstance(value, bytes | bytearray | memoryview):
        text = f"{len(value)} bytes"
    elif isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return excerpt(redact(text), LONGEST)


def _in_utc(moment: datetime) -> datetime:
    """Return a time in UTC; one at the ends of the calendar in its own zone."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError:
        return moment
