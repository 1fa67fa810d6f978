"""The benchmark: rows a second of this project, beside a floor and stock dlt.

Run as `python -m analytics_assets_tests.project.benchmarks`. All cases together write README.md
and charts beside this file; some of them are only printed, unless `--output` names a folder.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from analytics_assets_tests.project.benchmarks.cases import CASES, Case
from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.loaders.loader import BASELINE, LOADERS, Loader
from analytics_assets_tests.project.benchmarks.measurement import machine
from analytics_assets_tests.project.benchmarks.measurement.merging import SIZES, Merge, merges
from analytics_assets_tests.project.benchmarks.measurement.run import ROOT, Result, measure
from analytics_assets_tests.project.benchmarks.measurement.start_up import (
    COUNTS,
    StartUp,
    start_ups,
)
from analytics_assets_tests.project.benchmarks.report.chart import draw_merges, draw_throughput
from analytics_assets_tests.project.benchmarks.report.tables import (
    WIDTH,
    Surroundings,
    figures,
    merge_figures,
    rendered,
    start_up_figures,
    targets,
)
from analytics_assets_tests.project.benchmarks.scale.command import NAMES, measure_scale
from analytics_assets_tests.project.benchmarks.server import nginx
from analytics_assets_tests.project.benchmarks.server.pages import (
    ROWS_PER_PAGE,
    provide_pages,
    read_once,
)

HERE = Path(__file__).parent
CHART = "throughput.png"
CURVE = "merging.png"
MERGE, DEFINITIONS = "merge", "definitions"  # cases that read from no API
SCALE = "scale"  # measured by itself
PAGES = ROOT / ".benchmarks" / "pages"
WARM_UP_ROWS = 300
INTERRUPTED = 130  # the exit code of a command that Ctrl-C has ended


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the cases of the command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))  # so that nginx stops, too
    chosen = _parser().parse_args(arguments)
    if SCALE in (chosen.cases or ()):
        _scale(chosen)
        return
    cases = choose(chosen.cases, chosen.loaders, chosen.rows, bool(chosen.baseline))
    whole = not (chosen.cases or chosen.loaders or chosen.rows)
    sizes = SIZES if whole or MERGE in (chosen.cases or ()) else ()
    counts = COUNTS if whole or DEFINITIONS in (chosen.cases or ()) else ()
    output = chosen.output or (HERE if whole else None)
    busy, began = machine.how_busy(), time.monotonic()
    sys.stderr.write(busy + "\n")
    try:
        results = take(cases, chosen.rounds, chosen.baseline) if cases else []
        started = list(start_ups(counts))
        merged = list(merges(sizes))
    except BenchmarkError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    console = Console(width=max(Console().width, WIDTH))
    if results:
        console.print(figures(results))
    if started:
        console.print(start_up_figures(started))
    if merged:
        console.print(merge_figures(merged))
    console.print(targets(results, started, merged))
    if output:
        write(results, merged, started, output, busy, minutes=(time.monotonic() - began) / 60)


def _scale(chosen: argparse.Namespace) -> None:
    try:
        measure_scale(chosen.measures, chosen.sizes, chosen.baseline, chosen.output)
    except BenchmarkError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def choose(
    names: Sequence[str] | None,
    loaders: Sequence[str] | None,
    rows: int | None,
    with_baseline: bool = False,
) -> list[Case]:
    """Return the cases to measure.

    Args:
        names: their names; all but those on demand if none are given.
        loaders: names of loaders; all of each case if none are given.
        rows: rows of each resource, in place of the case's.
        with_baseline: True if the loaders of the baseline are measured beside these.
    """
    chosen = []
    for case in CASES:
        if case.name in names if names else not case.on_demand:
            kept = tuple(each for each in case.loaders if not loaders or each.name in loaders)
            if with_baseline:
                kept += tuple(BASELINE[each] for each in kept if each in BASELINE)
            chosen.append(replace(case, loaders=kept, rows=rows or case.rows))
    return [case for case in chosen if case.loaders]


def take(cases: Sequence[Case], rounds: int | None, baseline: Path | None) -> list[Result]:
    """Measure, with the server running and all pages in the file cache."""
    loaders: dict[Loader, None] = {loader: None for case in cases for loader in case.loaders}
    warm_up = Case("warm-up", WARM_UP_ROWS, loaders=tuple(loaders))
    for dataset in {case.dataset for case in [warm_up, *cases]}:
        read_once(provide_pages(PAGES, dataset))
    with nginx.serving(PAGES) as server:
        list(measure([warm_up], server, rounds=1, baseline=baseline))
        return list(measure(cases, server, rounds, baseline=baseline))


def write(
    results: Sequence[Result],
    merged: Sequence[Merge],
    started: Sequence[StartUp],
    output: Path,
    busy: str,
    minutes: float,
) -> None:
    """Write README.md and the charts."""
    output.mkdir(parents=True, exist_ok=True)
    surroundings = Surroundings(
        date=machine.today(),
        machine=machine.machine(),
        versions=machine.versions(),
        busy=busy,
        minutes=minutes,
        chart=CHART,
        curve=CURVE,
        page=ROWS_PER_PAGE,
        install=nginx.INSTALL,
    )
    where = f"{surroundings.date}. {surroundings.machine}."
    note = f"{where} DuckDB, pages of {ROWS_PER_PAGE} rows."
    draw_throughput(results, output / CHART, "More is better", note)
    draw_merges(merged, output / CURVE, "Seconds of a merge: less is better", where)
    text = rendered(results, merged, started, surroundings)
    (output / "README.md").write_text(text, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analytics_assets_tests.project.benchmarks")
    names: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
    cases = [*(case.name for case in CASES), MERGE, DEFINITIONS, SCALE]
    loaders = [loader.name for loader in LOADERS]
    parser.add_argument("--cases", choices=cases, help=f"of {', '.join(cases)}", **names)
    parser.add_argument("--loaders", choices=loaders, help=f"of {', '.join(loaders)}", **names)
    parser.add_argument("--rounds", type=int, help="runs of each loader in each case")
    parser.add_argument("--rows", type=int, help="rows of each resource, instead of the case's")
    parser.add_argument(
        "--baseline", type=Path, help="another checkout, whose loaders of this project run, too"
    )
    parser.add_argument(
        "--measures", nargs="+", choices=NAMES, metavar="NAME", help=f"of scale: {', '.join(NAMES)}"
    )
    parser.add_argument("--sizes", nargs="+", type=int, help="of scale, instead of each measure's")
    parser.add_argument(
        "--output", type=Path, help="folder for README.md and the chart, or with scale.md"
    )
    return parser


if __name__ == "__main__":
    main()
