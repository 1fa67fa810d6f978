"""The table of slopes, for the terminal and for a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from analytics_assets_tests.project.benchmarks.report.tables import (
    as_markdown,
    new_table,
)
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.projections import projected
from analytics_assets_tests.project.benchmarks.scale.record import BEFORE, NOW, Record, slope

NONE = ""
UNITS = (" s", " kB", " MB")  # of figures that grow; others are counts
PAGE = "scale.md"
FIGURES, ARITHMETIC = "figures", "arithmetic"  # parts of the page
BEGIN, END = "<!-- {}: written by make bench -->", "<!-- end of {} -->"


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


def arithmetic(record: Record) -> Table:
    """Return the table of sizes that were not measured."""
    table = new_table(["by arithmetic"], [BEFORE, NOW])
    for question, *values in projected(record):
        table.add_row(question, *map(_number, values))
    return table


def write(folder: Path, blocks: Mapping[str, Sequence[str | Table]]) -> None:
    """Write parts of the page in a folder, each in place of the one that it has.

    Args:
        folder: the folder.
        blocks: texts and tables, by the name between `BEGIN` and `END` in the page.
    """
    page = folder / PAGE
    text = page.read_text(encoding="utf-8")
    for name, parts in blocks.items():
        before, begin, rest = text.partition(BEGIN.format(name))
        _, end, after = rest.partition(END.format(name))
        assert begin, f"{page} has a place for {name}"
        assert end, f"the place for {name} in {page} ends"
        written = [each if isinstance(each, str) else as_markdown(each) for each in parts]
        text = "".join([before, begin, "\n", "\n\n".join(written), "\n", end, after])
    page.write_text(text, encoding="utf-8")


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
