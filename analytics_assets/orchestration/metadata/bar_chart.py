"""A chart with axes, as SVG text that is readable on a light and on a dark page."""

from collections.abc import Iterator, Sequence
from html import escape

from analytics_assets.orchestration.metadata.charts import BLUE, GREY

LEFT, RIGHT, TOP, BOTTOM = 70, 20, 34, 34  # the space around the bars, in pixels
WIDTH, HEIGHT = 720, 260  # of the whole
TICKS = 4  # lines across
LABELS = 6  # below the bars, at most


def bar_chart(title: str, labels: Sequence[str], values: Sequence[float]) -> str:
    """Return a chart of one bar for each value, in about 2,000 characters for 60 of them.

    Args:
        title: the sentence above it.
        labels: the label of each value; those of some are written below the bars.
        values: the values, at least 0; one of 0 has no bar.
    """
    step = _step(max(values, default=0))
    foot, slot = HEIGHT - BOTTOM, (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    scale = (foot - TOP) / (step * TICKS)
    bars = "".join(
        f"M{LEFT + place * slot:.0f} {foot}v-{max(1, round(value * scale))}"
        f"h{max(1, round(slot * 0.8))}V{foot}z"
        for place, value in enumerate(values)
        if value
    )
    ticks = [(foot - tick * step * scale, f"{tick * step:,.10g}") for tick in range(TICKS + 1)]
    lines = "".join(f"M{LEFT} {height:.0f}H{WIDTH - RIGHT}" for height, _ in ticks)
    heights = "".join(_text(LEFT - 8, height + 4, text) for height, text in ticks)
    shown = "".join(
        _text(LEFT + (place + 0.4) * slot, HEIGHT - 12, labels[place])
        for place in _places(len(labels))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{GREY}">'
        f'<path stroke="{GREY}" stroke-opacity=".4" d="{lines}"/><path fill="{BLUE}" d="{bars}"/>'
        f'<g font-size="14">{_text(LEFT, 18, title)}</g>'
        f'<g text-anchor="end">{heights}</g><g text-anchor="middle">{shown}</g></svg>'
    )


def _places(count: int) -> Iterator[int]:
    yield from range(0, count, max(1, -(-count // LABELS)))


def _step(most: float) -> float:
    """Return the distance of lines: 1, 2, 2.5 or 5 times a power of ten."""
    power = 1.0
    while True:
        for factor in (1, 2, 2.5, 5):
            if factor * power * TICKS >= most:
                return factor * power
        power *= 10


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'
