"""Slopes: what a further resource, day or row costs, beside another checkout."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.measurement import machine
from analytics_assets_tests.project.benchmarks.measurement.run import ROOT
from analytics_assets_tests.project.benchmarks.report.tables import WIDTH
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.measures import (
    days,
    definitions,
    idle,
    resources,
    sensor,
    tables,
)
from analytics_assets_tests.project.benchmarks.scale.project import Project, projects
from analytics_assets_tests.project.benchmarks.scale.record import BEFORE, NOW, Record
from analytics_assets_tests.project.benchmarks.scale.table import (
    ARITHMETIC,
    FIGURES,
    PAGE,
    arithmetic,
    slopes,
    write,
)

MEASURES: Sequence[Measure] = [
    measure
    for module in (definitions, sensor, resources, days, tables, idle)
    for measure in module.MEASURES
]
NAMES = list(dict.fromkeys(measure.name for measure in MEASURES))
RECORD = ROOT / ".benchmarks" / "scale.json"
LONGEST = 240.0  # seconds; a larger size that would take longer in the baseline is left out


def measure_scale(
    names: Sequence[str] | None,
    sizes: Sequence[int] | None,
    baseline: Path | None,
    output: Path | None,
) -> None:
    """Take the figures of measures, and print those and earlier ones of theirs.

    Args:
        names: the measures; all if none are given.
        sizes: sizes in place of the measures' own.
        baseline: the other checkout.
        output: the folder of the page into which a table of all that are kept is written.

    Raises:
        BenchmarkError: there is no page in the folder, or a measure failed; the others are kept.
    """
    if output and not (output / PAGE).is_file():
        raise BenchmarkError(f"{output} has no {PAGE} to write into: name the folder docs.")
    record, busy = Record(RECORD), machine.how_busy()
    measures = list(chosen(names, sizes))
    errors = take(measures, baseline, record)
    Console(width=max(Console().width, WIDTH)).print(slopes(record, measures))
    if output:
        commits = "; ".join(
            f"{side}: {', '.join(record.commits(side)) or 'not measured'}" for side in (BEFORE, NOW)
        )
        last = ", ".join(dict.fromkeys(measure.name for measure in measures))
        heading = (
            f'Made by `make bench ARGUMENTS="--cases scale --output {output}"` on '
            f"{machine.today()}, measure by measure. {machine.machine()}; "
            f"{machine.versions()}. Commits {commits}. Of those "
            f"taken last ({last}): {busy}"
        )
        figures: list[str | Table] = [heading, slopes(record, MEASURES)]
        write(output, {FIGURES: figures, ARITHMETIC: [arithmetic(record)]})
    if errors:
        raise BenchmarkError("\n".join(errors))


def chosen(names: Sequence[str] | None, sizes: Sequence[int] | None) -> Iterator[Measure]:
    """Yield the measures of some names with their sizes.

    Args:
        names: the names; all if none are given.
        sizes: sizes in place of the measures' own.
    """
    for measure in MEASURES:
        if not names or measure.name in names:
            yield measure if not sizes else Measure(**{**vars(measure), "sizes": sizes})


def take(measures: Sequence[Measure], baseline: Path | None, record: Record) -> list[str]:
    """Take the figures of measures, alternately of the baseline and of this checkout.

    Returns:
        The errors of measures that failed; their larger sizes are left out.
    """
    checkouts = {**({BEFORE: baseline} if baseline else {}), NOW: ROOT}
    errors = list[str]()
    with projects(list(checkouts.values())) as made:
        sides = dict(zip(checkouts, made, strict=True))
        for measure in measures:
            try:
                _take_sizes(measure, sides, record)
            except BenchmarkError as error:
                errors.append(f"{measure.title}: {error}")
                _say(errors[-1])
    return errors


def _take_sizes(measure: Measure, sides: Mapping[str, Project], record: Record) -> None:
    expected: dict[str, float] = {}
    for place, size in enumerate(measure.sizes):
        for side, project in sides.items():
            if side == BEFORE and expected.get(side, 0.0) > LONGEST:
                _say(f"{measure.title}, {size:,}: left out of the baseline")
                continue
            began = time.monotonic()
            figures = measure.take(project, size)
            seconds = time.monotonic() - began
            following = measure.sizes[place + 1 : place + 2]
            expected[side] = seconds * following[0] / size if following else 0.0
            record.add(measure.title, size, side, figures, project.checkout)
            shown = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
            _say(f"{measure.title}, {size:,}, {side}, {seconds:.0f} s: {shown}")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
