"""The display of the progress: a live table on a terminal, a line every few seconds elsewhere."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, Protocol

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from analytics_assets.cli.commands.materialize.progress import CommandProgress, ResourceProgress
from analytics_assets.cli.terminal import console, echo, is_terminal
from analytics_assets.config.text.quantities import count, duration, number, per_second
from analytics_assets.redaction.redactor import redact

LIVE_PERIOD = 0.5  # seconds between two looks; to draw the table takes some milliseconds
LINE_PERIOD = 5.0  # seconds between two lines
LINES_BESIDE = 6  # of the terminal that the table leaves free
HEADINGS = ("table", "pages", "rows", "rows/s", "time", "")


class Display(Protocol):
    """Shows the progress at each look."""

    period: float

    def refresh(self) -> None:
        """Show the progress as it is now."""

    def close(self) -> None:
        """Leave the terminal to other lines; idempotent."""


class LineDisplay:
    """Prints a line per resource that is loaded, without any control character.

    Args:
        progress: that of the command.
        is_quiet: True if the log of the runs is on the terminal and has these lines.
    """

    period = LINE_PERIOD

    def __init__(self, progress: CommandProgress, is_quiet: bool = False) -> None:
        self._progress, self._is_quiet = progress, is_quiet

    def close(self) -> None:
        """Do nothing: a line leaves nothing behind."""

    def refresh(self) -> None:
        """Print the lines."""
        if self._is_quiet:
            return
        at = f"[{duration(int(self._progress.seconds))}]"
        if not self._progress.under_way:
            echo(f"{at} {self._progress.title}")
        for each in self._progress.under_way:
            numbers = [count(each.rows, "row"), count(each.pages, "page")]
            numbers += [f"{per_second(each.rows, each.seconds)} rows/s"] if each.rows else []
            echo(f"{at} {each.name}: {', '.join(numbers)}; {each.state}")


class LiveDisplay:
    """Draws a table again and again, in the same place of the terminal.

    Args:
        progress: that of the command.
        live: the place.
    """

    period = LIVE_PERIOD

    def __init__(self, progress: CommandProgress, live: Live) -> None:
        self._progress, self._live = progress, live

    def close(self) -> None:
        """Remove the table, and show the cursor again."""
        self._live.stop()

    def refresh(self) -> None:
        """Draw the table."""
        self._live.update(drawn(self._progress, self._live.console), refresh=True)


def drawn(progress: CommandProgress, place: Console) -> RenderableType:
    """Return the progress as a table that fits the terminal.

    Args:
        progress: that of the command.
        place: the terminal.
    """
    title = Text(f"{redact(progress.title)} ({duration(int(progress.seconds))})")
    if not progress.is_planned:
        return title
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in HEADINGS:
        # a column that may wrap is the first one to become narrower; its cells do not wrap
        is_text, is_state = heading in ("table", ""), not heading
        justify: Any = "left" if is_text else "right"
        table.add_column(heading, justify=justify, no_wrap=not is_state, min_width=4)
    resources = list(progress.resources.values())
    shown = _most_relevant(resources, max(1, place.height - LINES_BESIDE))
    for each in shown:
        table.add_row(*_cells(each))
    left = len(resources) - len(shown)
    more = [Text(f"and {count(left, 'more table')}", style="dim")] if left else []
    return Group(title, table, *more)


def _cells(each: ResourceProgress) -> list[Text]:
    if not each.loads:
        return [Text(each.name), *[Text("")] * 4, _state(each, "dim")]
    style = "red" if each.has_failed else "green" if each.is_over else ""
    return [
        Text(each.name),
        Text(number(each.pages)),
        Text(number(each.rows)),
        Text(per_second(each.rows, each.seconds)),
        Text(duration(each.seconds)),
        _state(each, style),
    ]


def _state(each: ResourceProgress, style: str) -> Text:
    return Text(redact(each.state), style=style, no_wrap=True, overflow="ellipsis")


def _most_relevant(resources: list[ResourceProgress], most: int) -> list[ResourceProgress]:
    """Return the resources to show, in their order: failed ones, those under way, the newest."""

    def rank(each: ResourceProgress) -> tuple[bool, bool, float]:
        begun = each.loads[-1].begun_at if each.loads else 0.0
        return each.is_under_way, each.has_failed, begun

    chosen = sorted(resources, key=rank, reverse=True)[:most]
    return [each for each in resources if each in chosen]


def is_live(is_verbose: bool) -> bool:
    """Return True for a table that is drawn again and again; see `displayed`."""
    return is_terminal() and not is_verbose


@contextmanager
def displayed(progress: CommandProgress, is_verbose: bool) -> Iterator[Display]:
    """Show the progress inside the context.

    Args:
        progress: that of the command.
        is_verbose: True if the log of the runs is shown, which a table would break.
    """
    if not is_live(is_verbose):
        yield LineDisplay(progress, is_verbose)
        return
    with Live(console=console(), auto_refresh=False, transient=True) as live:
        yield LiveDisplay(progress, live)


def followed(
    future: "Future[Any]", display: Display, check: Callable[[], None] = lambda: None
) -> None:
    """Show the progress until a future has ended.

    Args:
        future: the future.
        display: shows the progress.
        check: is called at each look; its error ends the wait.
    """
    while not wait([future], timeout=display.period).done:
        display.refresh()
        check()
