"""Charts as SVG texts: bars by day or by week.

The background is transparent, and the colours are readable on light and on dark pages, on paper,
and by the colour-blind (Okabe and Ito).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import NamedTuple

BLUE, VERMILION, GREY, FAINT = "#2a78b5", "#d55e00", "#76808a", "#8a949e"
WIDTH, HEIGHT = 420, 110  # of the bars of a panel, in pixels
LEFT, RIGHT, TOP, BOTTOM = 40, 14, 26, 26  # the space around them
PADDING = 4  # days beside the first and the last week
LABELS = 4  # days with a label, besides the last
TICKS = 2  # lines across, besides the lowest
CROSS = "m-4-4l8 8m-8 0l8-8"
UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


class _Axis(NamedTuple):
    """The days of a chart, from left to right.

    Args:
        first: the first one.
        last: the last one.
        days: of a bar.
        newest: the last one with a label.
    """

    first: date
    last: date
    days: int
    newest: date

    def place(self, day: date) -> float:
        """Return the pixels from the left to the middle of a day."""
        share = (day - self.first).days / max((self.last - self.first).days, 1)
        return LEFT + 6 + (WIDTH - 12) * share

    @property
    def width(self) -> float:
        """The pixels of a bar."""
        span = max((self.last - self.first).days + 1, self.days)
        return max(1.0, round(WIDTH * self.days / span * 0.8, 1))

    def labelled(self) -> list[date]:
        """Return the days with a label."""
        step = max((self.last - self.first).days // LABELS // self.days, 1) * self.days
        shown = [self.newest - timedelta(days=back * step) for back in range(LABELS + 1)]
        return [day for day in reversed(shown) if day >= self.first]


def rows_by_day(rows: Mapping[date, float], title: str, first: date, last: date) -> str:
    """Draw the rows of each day as bars.

    Args:
        rows: the number of rows by day; a day without is 0.
        title: above the chart.
        first: the first day of the axis.
        last: the last one.
    """
    return _svg([_panel(_Axis(first, last, 1, last), title, HEIGHT, [(BLUE, rows)])])


def seconds_by_day(
    seconds: Mapping[date, float], failed: Mapping[date, int], title: str, first: date, last: date
) -> str:
    """Draw the seconds of a load on each day, and a cross for a day on which one failed.

    Args:
        seconds: the mean of the day's loads.
        failed: the number of failed ones.
        title: above the chart.
        first: the first day of the axis.
        last: the last one.
    """
    axis = _Axis(first, last, 1, last)
    crosses = [day for day in sorted(failed) if failed[day] and first <= day <= last]
    return _svg([_panel(axis, title, HEIGHT, [(FAINT, seconds)], crosses)])


def weeks(panels: Mapping[str, Mapping[date, float]], failed: Mapping[date, int]) -> str:
    """Draw numbers by week, one panel below the other.

    Args:
        panels: by the title of the panel, the number of each week by its Monday. The first panel
            counts loads, among them those that failed.
        failed: the number of failed loads by week.
    """
    drawn = []
    for number, (title, values) in enumerate(panels.items()):
        first, last = min(values), max(values)
        pad = timedelta(days=PADDING)
        bars: list[tuple[str, Mapping[date, float]]] = [(BLUE, values)]
        if not number and any(failed.values()):
            title = f"{title} (orange: failed)"
            bars.append((VERMILION, failed))
        drawn.append(_panel(_Axis(first - pad, last + pad, 7, last), title, HEIGHT // 2, bars))
    return _svg(drawn)


class _Panel(NamedTuple):
    """A drawn part of a chart, and its height in pixels."""

    drawn: str
    height: int


def _panel(
    axis: _Axis,
    title: str,
    height: int,
    bars: Sequence[tuple[str, Mapping[date, float]]],
    crosses: Iterable[date] = (),
) -> _Panel:
    """Draw bars with their axes.

    Args:
        axis: the days.
        title: above the bars.
        height: of the highest bar, in pixels.
        bars: a colour, and the value of each day; the first ones are behind the others.
        crosses: days with a cross.
    """
    shown = [
        (colour, {day: value for day, value in sorted(values.items()) if _is_on(axis, day)})
        for colour, values in bars
    ]
    most = max((value for _, values in shown for value in values.values()), default=0)
    step = _step(most)
    ticks = [number * step for number in range(max(1, math.floor(most / step + 1e-9)) + 1)]
    foot, scale = TOP + height, height / max(most, ticks[-1])
    lines = "".join(f"M{LEFT} {foot - tick * scale:.1f}h{WIDTH}" for tick in ticks)
    days = axis.labelled()
    below = "".join(f"M{axis.place(day):.1f} {foot}v5" for day in days)
    parts = [
        _text(LEFT, TOP - 11, title, 'font-size="12" font-weight="600"'),
        f'<path stroke="{FAINT}" stroke-opacity=".25" d="{lines}"/>',
        f'<path stroke="{FAINT}" d="M{LEFT} {foot}h{WIDTH}{below}"/>',
        '<g text-anchor="end">',
        *(_text(LEFT - 6, foot - tick * scale + 4, _number(tick)) for tick in ticks),
        '</g><g text-anchor="middle">',
        *(_text(axis.place(day), foot + 18, f"{day.day} {day:%b}") for day in days),
        "</g>",
    ]
    for colour, values in shown:
        parts += [
            f'<path d="M{axis.place(day) - axis.width / 2:.1f},{foot - value * scale:.1f}'
            f'h{axis.width:.1f}v{value * scale:.1f}h-{axis.width:.1f}Z" fill="{colour}"/>'
            for day, value in values.items()
            if value > 0
        ]
    if marked := "".join(f"M{axis.place(day):.1f} {TOP + 5}{CROSS}" for day in crosses):
        parts.append(f'<path stroke="{VERMILION}" stroke-width="2" d="{marked}"/>')
    return _Panel("".join(parts), foot + BOTTOM)


def _is_on(axis: _Axis, day: date) -> bool:
    return axis.first <= day <= axis.last


def _step(most: float) -> float:
    """Return the distance of lines, 1, 2 or 5 times a power of ten, for a few of them."""
    rough = (most or 1) / TICKS
    power: float = 10.0 ** math.floor(math.log10(rough))
    # the nearest of them on a logarithmic scale
    factors = ((math.sqrt(50), 10), (math.sqrt(10), 5), (math.sqrt(2), 2), (0, 1))
    return next(factor for least, factor in factors if rough / power >= least) * power


def _number(value: float) -> str:
    """Return a number in few characters.

    Example:
        >>> [_number(value) for value in (0, 0.5, 750, 1500, 2_000_000)]
        ['0', '0.5', '750', '1.5k', '2M']
    """
    for unit, letter in UNITS:
        if value >= unit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.6g}"


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(text)}</text>'.replace(" >", ">")


def _svg(panels: Sequence[_Panel]) -> str:
    """Return the picture of panels, one below the other."""
    width, parts, top = LEFT + WIDTH + RIGHT, [], 0
    for panel in panels:
        parts.append(f'<g transform="translate(0,{top})">{panel.drawn}</g>')
        top += panel.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" '
        f'viewBox="0 0 {width} {top}" font-family="sans-serif" font-size="11" fill="{GREY}">'
        f"{''.join(parts)}</svg>"
    )
