"""Charts of the figures."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import StrMethodFormatter

from analytics_assets_tests.benchmarks.loaders.loader import LOADERS
from analytics_assets_tests.benchmarks.measurement.merging import CHANGED, Merge
from analytics_assets_tests.benchmarks.measurement.run import Result

COLOURS = dict(zip(LOADERS, ("#9aa0a6", "#e8a33d", "#1f6feb", "#8250df"), strict=True))
BAR = 0.8  # of its share of the axis
INCHES_PER_BAR, INCHES_AROUND, INCHES_WIDE = 0.25, 1.6, 10.0
INCHES_HIGH = 4.5
SLOWEST = 100  # rows per second, where the axis begins


def draw_throughput(results: Sequence[Result], file: Path, title: str, note: str) -> None:
    """Draw rows per second, a group of bars per case.

    Args:
        results: the figures to draw.
        file: the PNG to write.
        title: the title above.
        note: the note below, with date and machine.
    """
    bars = sum(len(result.figures) + 1 for result in results)
    figure = Figure((INCHES_WIDE, INCHES_AROUND + INCHES_PER_BAR * bars), layout="constrained")
    axes = figure.add_subplot()
    labels: dict[float, str] = {}
    place = 0
    for result in results:
        labels[place + (len(result.figures) - 1) / 2] = result.case.title.replace(", ", ",\n")
        for loader, taken in result.figures.items():
            _draw_bar(axes, place, taken.rows_per_second, COLOURS[loader])
            place += 1
        place += 1
    axes.set_yticks(list(labels), list(labels.values()))
    _draw_scale(axes)
    used = [loader for loader in LOADERS if any(loader in result.figures for result in results)]
    colours = [Patch(color=COLOURS[loader], label=loader.title) for loader in used]
    figure.legend(handles=colours, loc="outside upper right", ncols=len(used), frameon=False)
    _save(figure, axes, file, title, note)


def draw_merges(merges: Sequence[Merge], file: Path, title: str, note: str) -> None:
    """Draw the seconds of a merge against the size of its table, a line per warehouse.

    Args:
        merges: the merges to draw.
        file: the PNG to write.
        title: the title above.
        note: the note below, with date and machine.
    """
    figure = Figure((INCHES_WIDE, INCHES_HIGH), layout="constrained")
    axes = figure.add_subplot()
    for warehouse in dict.fromkeys(merge.warehouse for merge in merges):
        sizes = [merge for merge in merges if merge.warehouse == warehouse]
        rows = [merge.rows for merge in sizes]
        [first] = axes.loglog(rows, [merge.first_seconds for merge in sizes], "o--", alpha=0.5)
        first.set_label(f"{warehouse}, all rows new")
        again = [merge.seconds for merge in sizes]
        label = f"{warehouse}, one row in {CHANGED} again"
        axes.loglog(rows, again, "o-", color=first.get_color(), label=label)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlabel("rows of the table")
    axes.set_ylabel("seconds")
    axes.grid(True, alpha=0.3)
    axes.legend(frameon=False)
    _save(figure, axes, file, title, note)


def _draw_bar(axes: Axes, place: float, speed: float, colour: str) -> None:
    axes.barh(place, speed, BAR, color=colour)
    axes.annotate(
        f"{speed:,.0f}",
        (speed, place),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
    )


def _draw_scale(axes: Axes) -> None:
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(SLOWEST, 2 * axes.get_xlim()[1])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("rows per second of the whole process, on a logarithmic scale")
    axes.xaxis.grid(True, alpha=0.3)
    axes.set_axisbelow(True)


def _save(figure: Figure, axes: Axes, file: Path, title: str, note: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, loc="left")
    figure.supxlabel(note, fontsize=8, color="#57606a", x=0.01, ha="left")
    figure.savefig(file, dpi=150)
