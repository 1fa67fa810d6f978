"""A preview on the terminal: tables that are no wider than it."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from analytics_assets.cli.commands.preview.previewed import (
    Preview,
    PreviewedColumn,
    PreviewedTable,
)
from analytics_assets.cli.terminal import console, echo, echo_table, is_terminal
from analytics_assets.config.text.excerpts import excerpt, first_names, printable
from analytics_assets.config.text.quantities import count
from analytics_assets.extract.sampling.request_text import request_text
from analytics_assets.redaction.redactor import redact

LONGEST = 40  # characters of a value
MOST_NAMES = 12  # columns that are listed, not shown
MOST_REASONS = 10
NUMBERS = ("bigint", "double", "decimal", "wei")
GAP = 3  # characters between two columns


def show(found: Preview, is_short: bool) -> None:
    """Print a preview.

    Args:
        found: the preview.
        is_short: True to leave out all but the request and the rows.
    """
    echo(f"{found.resource}: {found.pages}", style="bold")
    if found.asked:
        echo(f"    {request_text(found.asked)}", style="dim")
    for note in found.notes:
        echo(f"    {note}", style="yellow")
    own, *children = found.tables
    if own.rows:
        _show_rows(own)
    for child in children:
        names = first_names([f"`{each.name}`" for each in child.columns], MOST_NAMES)
        echo(f"{child.name}: {count(len(child.rows), 'row')} of a list, with {names}")
    if own.columns and not is_short:
        _show_columns(own)
    for line in _rejections(found):
        echo(line, style="yellow")
    echo("")


def _show_rows(table: PreviewedTable) -> None:
    """Print rows, as many columns as fit: those of the key first, then in their order."""
    columns = [each for each in table.columns if not each.is_sensitive]
    cells = {each.name: [_text(row[each.name]) for row in table.rows] for each in columns}
    columns = [each for each in columns if any(cells[each.name])]
    shown = _fitting(columns, cells)
    printed = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for each in shown:
        justify: Any = "right" if each.type in NUMBERS else "left"
        printed.add_column(each.name, justify=justify, no_wrap=True)
    for number in range(len(table.rows)):
        printed.add_row(*(Text(cells[each.name][number]) for each in shown))
    echo_table(printed)
    left = [f"`{each.name}`" for each in columns if each not in shown]
    if left:
        echo(f"and {first_names(left, MOST_NAMES)}; a wider terminal or --json shows them")


def _fitting(
    columns: Sequence[PreviewedColumn], cells: dict[str, list[str]]
) -> Sequence[PreviewedColumn]:
    """Return the columns that fit the terminal, at least one; all where there is none."""
    if not is_terminal():
        return columns
    left = console().width
    chosen: list[PreviewedColumn] = []
    for each in sorted(columns, key=lambda column: not column.is_key):
        needed = max(map(cell_len, (each.name, *cells[each.name]))) + GAP
        if needed <= left or not chosen:
            chosen.append(each)
            left -= needed
    return [each for each in columns if each in chosen]


def _show_columns(table: PreviewedTable) -> None:
    printed = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("column", "type", "null", "type from", "example"):
        printed.add_column(heading, no_wrap=heading != "example", overflow="ellipsis")
    for each in table.columns:
        values = (row[each.name] for row in table.rows if each.name in row)
        example = next((text for text in map(_text, values) if text), "")
        name = f"{each.name} (key)" if each.is_key else each.name
        cells = (name, each.type, "yes" if each.nullable else "no", each.origin)
        printed.add_row(*map(Text, (*cells, "(sensitive)" if each.is_sensitive else example)))
    echo_table(printed)


def _rejections(found: Preview) -> Iterator[str]:
    reasons = Counter(reason for _, reason in found.rejected)
    if reasons:
        yield f"{count(len(found.rejected), 'row')} would be rejected:"
    for reason, rows in reasons.most_common(MOST_REASONS):
        key = next((key for key, other in found.rejected if other == reason and key), {})
        example = ", ".join(f"{field}={value}" for field, value in key.items())
        yield f"    {count(rows, 'row')}: {reason}" + (f" ({example})" if example else "")
    if len(reasons) > MOST_REASONS:
        yield f"    and {len(reasons) - MOST_REASONS} other reasons"


def _text(value: Any) -> str:
    """Return a value in one line, without a secret."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        text = value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "auto")
    elif isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return excerpt(printable(redact(" ".join(text.split()))), LONGEST)
