"""Rows of an API put together again from a table and its child tables."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import dlt

from analytics_assets.config.times.timestamps import parse_timestamp

PARENT, POSITION, ID = "_dlt_parent_id", "_dlt_list_idx", "_dlt_id"


def stored_rows(pipeline: dlt.Pipeline, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table as objects, with their child tables as lists, nulls left out."""
    schema = pipeline.default_schema
    rows = _content(pipeline, table)
    children = [
        (name, name.removeprefix(f"{table}__"))
        for name, each in schema.tables.items()
        if each.get("parent") == table
    ]
    for name, field in children:
        items = stored_rows(pipeline, name)
        for row in rows:
            own = [item for item in items if item[PARENT] == row[ID]]
            if own:
                own.sort(key=lambda item: int(item[POSITION]))
                row[field] = [_without_dlt(item) for item in own]
    is_child = PARENT in schema.tables[table]["columns"]
    return rows if is_child else [_without_dlt(row) for row in rows]


def _content(pipeline: dlt.Pipeline, table: str) -> list[dict[str, Any]]:
    with pipeline.sql_client() as client:
        name = client.make_qualified_table_name(table)
        with client.execute_query(f"SELECT * FROM {name}") as cursor:
            columns = [column[0] for column in cursor.native_cursor.description]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return [{name: row[name] for name in row if row[name] is not None} for row in rows]


def _without_dlt(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("_dlt")}


def expected_row(row: Mapping[str, Any], pipeline: dlt.Pipeline) -> dict[str, Any]:
    """Return a row of an API as dlt's columns: objects flattened, what is empty left out."""
    naming = pipeline.default_schema.naming
    flat: dict[str, Any] = {}
    for field, value in row.items():
        name = naming.normalize_identifier(field)
        if isinstance(value, dict):
            inner = expected_row(value, pipeline)
            flat |= {naming.make_path(name, part): inner[part] for part in inner}
        elif isinstance(value, list):
            # dlt names the column of a scalar `value`
            items = [each if isinstance(each, dict) else {"value": each} for each in value]
            items = [expected_row(each, pipeline) for each in items]
            flat |= {name: items} if items else {}
        elif value is not None:
            flat[name] = value
    return flat


def comparable(value: Any) -> Any:
    """Return a value of a table or of JSON in a form in which equal values are equal."""
    if isinstance(value, dict):
        return {name: comparable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | Decimal):
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if isinstance(value, str) and "T" in value and (moment := parse_timestamp(value)):
        return moment
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return value.isoformat() if isinstance(value, date) else value
