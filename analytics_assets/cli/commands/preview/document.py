"""A preview as a JSON document."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import click

from analytics_assets.cli.commands.preview.previewed import Preview
from analytics_assets.extract.sampling.request_text import request_parts
from analytics_assets.redaction.redactor import redact


def document(found: Preview) -> dict[str, Any]:
    """Return a preview for JSON."""
    own, *children = found.tables
    return {
        "resource": found.resource,
        "asked": request_parts(found.asked) if found.asked else None,
        "params": found.params,
        "summary": found.pages,
        "next": found.next,
        "notes": found.notes,
        "table": own.name,
        "columns": [asdict(column) for column in own.columns],
        "rows": own.rows,
        "child_tables": [
            {
                "table": child.name,
                "columns": [asdict(column) for column in child.columns],
                "rows": child.rows,
            }
            for child in children
        ],
        "rejected": [{"key": key, "reason": reason} for key, reason in found.rejected],
    }


def print_document(content: Mapping[str, Any]) -> None:
    """Print a JSON document without secrets to standard output."""
    click.echo(json.dumps(_plain(content), ensure_ascii=False, indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    """Return a value that JSON has; digits that a double does not hold are a text."""
    if isinstance(value, Mapping):
        return {str(_plain(name)): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return redact(str(value) if not isinstance(value, Decimal) else f"{value:f}")
