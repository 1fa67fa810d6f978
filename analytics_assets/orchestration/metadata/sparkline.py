"""Small charts as Markdown, which the Dagster UI shows in place below 1,000 characters."""

import base64
from collections.abc import Sequence
from itertools import groupby

from analytics_assets.orchestration.metadata.charts import BLUE, GREY

MOST_IN_PLACE = 1000  # characters of Markdown that Dagster 1.13 shows without a click
WIDTH, HEIGHT = 300, 40


def sparkline(values: Sequence[float], slots: int, text: str) -> str:
    """Return a chart without axes, and the sentence below it.

    A value of zero has no bar, any other a visible one.

    Args:
        values: the values, at least 0, the oldest first.
        slots: the number of values for which there is space.
        text: the sentence, which says what is plotted.

    Example:
        >>> len(sparkline(range(60), 60, "rows")) < MOST_IN_PLACE
        True
    """
    most = max(values, default=0) or 1
    heights = [max(1, round(value / most * (HEIGHT - 1))) if value else 0 for value in values]
    line = "".join(f"V{HEIGHT - height}h{len(list(alike))}" for height, alike in groupby(heights))
    bars = f'<pattern id="b" width="1" height="{HEIGHT}" patternUnits="userSpaceOnUse">'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {slots} {HEIGHT}" preserveAspectRatio="none">{bars}'
        f'<path fill="{BLUE}" d="M0 0h.8v{HEIGHT}H0"/></pattern>'
        f'<path fill="url(#b)" d="M0 {HEIGHT}{line}V{HEIGHT}"/>'
        f'<path fill="{GREY}" d="M0 {HEIGHT}h{slots}v-1H0"/></svg>'
    )
    return f"{image(svg)}\n\n{text}"


def image(svg: str, text: str = "") -> str:
    """Return Markdown with an SVG as a picture.

    Args:
        svg: the SVG.
        text: a few words in place of the picture, for those who do not see it.
    """
    return f"![{text}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
