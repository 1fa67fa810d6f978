"""Charts of the figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import StrMethodFormatter

from analytics_assets_tests.project.benchmarks.loaders.loader import (
    DAGSTER,
    DAGSTER_BEFORE,
    FLOOR,
    OWN,
    OWN_BEFORE,
    STOCK,
    STOCK_DAGSTER,
    Loader,
)
from analytics_assets_tests.project.benchmarks.measurement.merging import CHANGED, Merge
from analytics_assets_tests.project.benchmarks.measurement.run import Result
from analytics_assets_tests.project.benchmarks.report.targets import Target

COLOURS = {
    FLOOR: "#6e7781",
    STOCK: "#c77d0a",
    OWN: "#1f6feb",
    OWN_BEFORE: "#79a8ee",
    STOCK_DAGSTER: "#8a5206",
    DAGSTER: "#8250df",
    DAGSTER_BEFORE: "#b797ee",
}
MARK, MARK_WIDTH = "#cf222e", 2.0
BAR = 0.8  # of its share of the axis
INCHES_PER_BAR, INCHES_AROUND, INCHES_WIDE = 0.22, 0.9, 10.0
INCHES_HIGH = 4.5
SLOWEST = 500  # rows per second, where the axis begins


def draw_throughput(results: Sequence[Result], file: Path, title: str, note: str) -> None:
    """Draw rows per second, a group of bars per case, and the speed that each case must reach.

    Args:
        results: the figures to draw; those of APIs that wait stand below the others.
        file: the PNG to write.
        title: the title above.
        note: the note below, with date and machine.
    """
    panels = [
        [result for result in results if result.case.waits == waits] for waits in (False, True)
    ]
    panels = [panel for panel in panels if panel]
    lines = [sum(len(result.figures) + 1 for result in panel) for panel in panels]
    height = INCHES_AROUND * len(panels) + INCHES_PER_BAR * sum(lines)
    figure = Figure((INCHES_WIDE, height), layout="constrained")
    all_axes = figure.subplots(len(panels), squeeze=False, height_ratios=lines)[:, 0]
    for panel, axes in zip(panels, all_axes, strict=True):
        _draw_panel(axes, panel)
    used = [loader for loader in COLOURS if any(loader in result.figures for result in results)]
    legend: list[Artist] = [Patch(color=COLOURS[loader], label=loader.title) for loader in used]
    legend.append(Line2D([], [], color=MARK, linewidth=MARK_WIDTH, label="to be reached"))
    figure.legend(handles=legend, loc="outside upper right", ncols=len(legend), frameon=False)
    _save(figure, all_axes[0], file, title, note)


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
        copied = [(merge.rows, merge.copy_seconds) for merge in sizes if merge.copy_seconds]
        if copied:
            label = f"{warehouse}, COPY and INSERT"
            axes.loglog(*zip(*copied, strict=True), ":", color=MARK, label=label)
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


def _draw_panel(axes: Axes, results: Sequence[Result]) -> None:
    waits = results[0].case.waits
    labels: dict[float, str] = {}
    place = 0
    for result in results:
        speeds = {
            loader: taken.rows_per_second if waits else taken.rows_per_cpu_second
            for loader, taken in result.figures.items()
        }
        labels[place + (len(speeds) - 1) / 2] = result.case.title.replace(", ", ",\n")
        for loader, speed in speeds.items():
            _draw_bar(axes, place, speed, COLOURS[loader])
            if loader == OWN:
                _draw_marks(axes, place, result.case.targets, speeds)
            place += 1
        place += 1
    axes.set_yticks(list(labels), list(labels.values()))
    axes.set_xlabel(f"rows per second{'' if waits else ' of CPU'}, on a logarithmic scale")
    axes.spines[["top", "right"]].set_visible(False)
    _draw_scale(axes, place)


def _draw_bar(axes: Axes, place: float, speed: float, colour: str) -> None:
    axes.barh(place, speed, BAR, color=colour)
    axes.annotate(
        f"{speed:,.0f}",
        (SLOWEST, place),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color="white",
    )


def _draw_marks(
    axes: Axes, place: float, targets: Sequence[Target], speeds: Mapping[Loader, float]
) -> None:
    for target in targets:
        if target.against and target.against in speeds:
            speed = speeds[target.against] * target.limit.limit
            ends = (place - BAR / 2, place + BAR / 2)
            axes.plot((speed, speed), ends, color=MARK, linewidth=MARK_WIDTH)


def _draw_scale(axes: Axes, places: float) -> None:
    axes.set_ylim(places - 1 + BAR / 2, -1 + BAR / 2)
    axes.set_xscale("log")
    axes.set_xlim(SLOWEST, 1.1 * axes.get_xlim()[1])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.grid(True, alpha=0.3)
    axes.set_axisbelow(True)


def _save(figure: Figure, axes: Axes, file: Path, title: str, note: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, loc="left")
    figure.supxlabel(note, fontsize=8, color="#57606a", x=0.01, ha="left")
    figure.savefig(file, dpi=150)
