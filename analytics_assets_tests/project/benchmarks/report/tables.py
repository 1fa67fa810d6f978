"""Tables of the figures, for the terminal and for README.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from analytics_assets_tests.project.benchmarks.loaders.loader import FLOOR, LOADERS, STOCK, Loader
from analytics_assets_tests.project.benchmarks.loaders.stages import STAGES
from analytics_assets_tests.project.benchmarks.measurement.figures import Figures
from analytics_assets_tests.project.benchmarks.measurement.merging import ROUNDS as MERGE_ROUNDS
from analytics_assets_tests.project.benchmarks.measurement.merging import Merge
from analytics_assets_tests.project.benchmarks.measurement.run import Result
from analytics_assets_tests.project.benchmarks.measurement.start_up import ROUNDS, StartUp
from analytics_assets_tests.project.benchmarks.report.outcomes import outcomes

WIDTH = 220  # characters that the tables need
NONE = ""
TEXT = """\
# How fast it loads

Made by `make bench` on {date}, in {minutes:.0f} minutes. {machine}; {versions}. {busy}

![Rows per second of each loader in each case]({chart})

A loader is run as a user would run it: a new process, an empty folder and a new DuckDB file each
time, from the start of Python to the end of the process. The loaders of a case take turns, and the
figures are medians over the runs. After each run the tables are counted: a loader that has lost a
row, or has one twice, aborts the benchmark. All loaders of a case read the same API with the same
configuration, except for the contract, which stock dlt does not have.

Nginx on the same machine serves prepared pages of {page} rows with 12 fields as JSON, 25,000 and
more a second, whatever the paging; nobody checks the token. Nested rows have an object and a list
of none, one or two objects besides. What counts is CPU, user and system, of the process and its
children, and where an answer takes 50 ms, the time.

{loaders}

## Targets

"To its own" is the figure of the other loader divided by that of this project.

{targets}

## Figures

The columns of stock dlt and of the floor are their seconds, and their CPU, divided by those of the
loader in the row. Seconds per stage are measured by the loader, `import` from the start of the
process until it begins to read. The stages of one that works on several at the same time add up to
more than it took. Peak memory is that of the largest process.

{figures}

## Merging what has changed

Seconds of dlt's load step, in which rows are merged into their table: when all of them are new, and
when one row in a hundred, spread over the table, is merged again. Each warehouse is new, and
PostgreSQL does not wait for its disk; the rows are made on the spot, without an API. Beside them,
the same rows by binary COPY into a staging table without an index and one `INSERT ... SELECT`, once
before the load and once after it; the faster one counts. Up to a million rows, figures are medians
of {merge_rounds}.

![Seconds of a merge against the rows of its table]({curve})

{merges}

## Loading the definitions

Seconds until Dagster has all assets, checks, schedules and sensors, which each of its processes
needs before anything else: medians over {rounds} new processes. Each resource has a contract, and
every other one is partitioned by day.

{start_ups}

## Run it

On Debian or Ubuntu, nginx comes with `{install}`.

```console
$ make bench                                         # all cases; writes this page and the chart
$ make bench ARGUMENTS="--cases 100k dagster"        # some cases; only prints
$ make bench ARGUMENTS="--cases merge"               # merges alone, about 6 minutes; only prints
$ make bench ARGUMENTS="--cases definitions"         # loading the definitions; only prints
$ make bench ARGUMENTS="--cases 5m --rounds 1"       # five million rows, which need 2 GB of disk
$ make bench ARGUMENTS="--rows 10000 --rounds 1"     # all cases with few rows, to try it out
$ make bench ARGUMENTS="--cases dagster --baseline ../before"  # beside another checkout
$ make bench ARGUMENTS="--cases scale --baseline ../before"    # slopes; see docs/scale.md
```
"""


@dataclass(frozen=True)
class Surroundings:
    """The facts of a README besides the figures.

    Args:
        date: the date of the measurement.
        machine: the machine.
        versions: versions of all programs and packages.
        busy: the load of the machine.
        minutes: duration of the whole measurement.
        chart: file of the chart of throughput.
        curve: file of the chart of merges.
        page: rows on a page.
        install: the command that installs the server.
    """

    date: str
    machine: str
    versions: str
    busy: str
    minutes: float
    chart: str
    curve: str
    page: int
    install: str


def rendered(
    results: Sequence[Result],
    merges: Sequence[Merge],
    started: Sequence[StartUp],
    surroundings: Surroundings,
) -> str:
    """Return README.md."""
    loaders = [f"- **{loader.title}**: {loader.about}." for loader in LOADERS]
    return TEXT.format(
        **vars(surroundings),
        loaders="\n".join(loaders),
        targets=as_markdown(targets(results, started, merges)),
        figures=as_markdown(figures(results)),
        merges=as_markdown(merge_figures(merges)),
        start_ups=as_markdown(start_up_figures(started)),
        rounds=ROUNDS,
        merge_rounds=MERGE_ROUNDS,
    )


def targets(
    results: Sequence[Result], started: Sequence[StartUp], merges: Sequence[Merge]
) -> Table:
    """Return the table of targets, and the figures that are compared with them."""
    table = new_table(["case", "figure"], ["target", "measured", "reached"])
    for outcome in outcomes(results, merges, started):
        limit, found = outcome.limit, outcome.found
        reached = "yes" if limit.is_reached_by(found) else "NO"
        table.add_row(outcome.case, limit.title, limit.shown_limit, limit.shown(found), reached)
    return table


def figures(results: Sequence[Result]) -> Table:
    """Return the table of the figures of each loader in each case."""
    compared = [f"{other}, {what}" for other in ("stock", "floor") for what in ("s", "CPU")]
    numbers = ["runs", "seconds", "rows/s", "CPU s", "peak MB", *compared, *STAGES]
    table = new_table(["case", "loader"], numbers)
    for result in results:
        for number, (loader, taken) in enumerate(result.figures.items()):
            table.add_row(
                NONE if number else result.case.title,
                loader.title,
                str(len(taken.runs)),
                f"{taken.seconds:.2f}",
                f"{taken.rows_per_second:,.0f}",
                f"{taken.cpu_seconds:.2f}",
                f"{taken.peak_megabytes:.0f}",
                *_compared(result, STOCK, taken),
                *_compared(result, FLOOR, taken),
                *(
                    f"{taken.stages[stage]:.2f}" if stage in taken.stages else NONE
                    for stage in STAGES
                ),
            )
    return table


def merge_figures(merges: Sequence[Merge]) -> Table:
    """Return the table of merges into tables of different sizes."""
    numbers = ["rows", "all new, s", "COPY and INSERT, s", "merged again", "s", "µs a row"]
    table = new_table(["warehouse"], numbers)
    for merge in merges:
        table.add_row(
            merge.warehouse,
            f"{merge.rows:,}",
            f"{merge.first_seconds:.2f}",
            f"{merge.copy_seconds:.2f}" if merge.copy_seconds else NONE,
            f"{merge.changed:,}",
            f"{merge.seconds:.2f}",
            f"{merge.seconds / merge.changed * 1e6:.0f}",
        )
    return table


def start_up_figures(started: Sequence[StartUp]) -> Table:
    """Return the table of loading times of definitions."""
    table = new_table([], ["resources", "imports of Dagster and dlt, s", "all else, s"])
    for start_up in started:
        table.add_row(str(start_up.resources), f"{start_up.imports:.2f}", f"{start_up.seconds:.2f}")
    return table


def _compared(result: Result, other: Loader, taken: Figures) -> tuple[str, str]:
    if other not in result.figures:
        return NONE, NONE
    its = result.figures[other]
    return f"{its.seconds / taken.seconds:.2f}", f"{its.cpu_seconds / taken.cpu_seconds:.2f}"


def new_table(texts: Sequence[str], numbers: Sequence[str]) -> Table:
    """Return an empty table with columns of texts, then columns of numbers."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in texts:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def as_markdown(table: Table) -> str:
    """Return a table as Markdown."""
    table.box = box.MARKDOWN
    text = StringIO()
    Console(file=text, width=WIDTH).print(table)
    lines = [line.rstrip() for line in text.getvalue().strip().splitlines()]
    lines[1] = "|".join(
        ["", *("--:" if c.justify == "right" else ":--" for c in table.columns), ""]
    )
    return "\n".join(lines)
