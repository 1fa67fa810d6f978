"""The table of slopes, for the terminal and for a page."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from analytics_assets_tests.project.benchmarks.report.tables import (
    WIDTH,
    as_markdown,
    new_table,
)
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.record import BEFORE, NOW, Record, slope

__all__ = ["WIDTH", "slopes", "write"]
NONE = ""
UNITS = (" s", " kB", " MB")  # of figures that grow; others are counts
PAGE = "scale.md"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of the figures -->"


def slopes(record: Record, measures: Sequence[Measure]) -> Table:
    """Return the table of all figures that are kept, with what each further one of a size adds."""
    table = new_table(["measure", "figure", "size"], [BEFORE, NOW, f"{NOW} / {BEFORE}"])
    for measure in measures:
        title = measure.title
        for name, series in record.series(title):
            shown = name
            for taken in series:
                _add(table, title, shown, f"{taken.size:,} {measure.counted}", *taken[1:])
                title = shown = NONE
            if len(series) > 1 and name.endswith(UNITS):
                growth = [slope(series, side, measure.step) for side in (BEFORE, NOW)]
                _add(table, NONE, NONE, measure.further, *growth)
    return table


def write(table: Table, folder: Path, heading: str) -> None:
    """Write the table into the page of a folder, in place of the one that it has."""
    page = folder / PAGE
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    parts = [before, BEGIN, "\n", heading, "\n\n", as_markdown(table), "\n", END, after]
    page.write_text("".join(parts), encoding="utf-8")


def _add(
    table: Table, title: str, name: str, size: str, before: float | None, now: float | None
) -> None:
    ratio = f"{now / before:.2f}" if before and now and min(before, now) > 0 else NONE
    table.add_row(title, name, size, _number(before), _number(now), ratio)


def _number(value: float | None) -> str:
    if value is None:
        return NONE
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
