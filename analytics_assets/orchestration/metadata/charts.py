"""Charts as SVG texts: Vega-Lite, drawn without a browser.

https://vega.github.io/vega-lite and https://github.com/vega/vl-convert. `vl_convert` is imported
where a chart is drawn, and needs 0.4 s for the first one. The background is transparent, and the
colours are readable on light and on dark pages, on paper, and by the colour-blind (Okabe and Ito).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

BLUE, VERMILION, GREY, FAINT = "#2a78b5", "#d55e00", "#76808a", "#8a949e"
CROSS = "M-1,-1L1,1M-1,1L1,-1"
WIDTH, HEIGHT = 420, 110  # of one panel, in pixels
PADDING = 4  # days beside the first and the last week
LABELS = 4  # days with a label, besides the last; to measure these texts is most of the time
VEGA_LITE = "6.1"
DEFAULTS = re.compile(
    r' (?:aria-[a-z]+|role|class|pointer-events|version|xmlns:xlink|stroke-miterlimit)="[^"]*"'
    r'|(?:(?<=") opacity="1")|(?<=") stroke-width="1"'
)
PLACES = re.compile(r' d="[^"]*"|translate\([^)]*\)')
DECIMALS = re.compile(r"(\d\.\d)\d+")  # a tenth of a pixel
EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>|<g></g>')
CONFIG: Mapping[str, Any] = {
    "aria": False,  # a label for each bar would be most of the picture
    "background": None,
    "font": "sans-serif",  # a page has its own
    "view": {"stroke": None},
    "axis": {
        "labelColor": GREY,
        "titleColor": GREY,
        "labelFontSize": 11,
        "domainColor": FAINT,
        "tickColor": FAINT,
        "gridColor": FAINT,
        "gridOpacity": 0.25,
        "labelPadding": 4,
    },
    "axisY": {
        "domain": False,
        "ticks": False,
        "tickCount": 2,
        "minExtent": 34,
        "labelExpr": "datum.value >= 1000 ? format(datum.value, '~s') : format(datum.value, '~')",
    },
    "axisX": {"grid": False, "format": "%-d %b", "labelFlush": True},
    "title": {"color": GREY, "fontSize": 12, "fontWeight": 600, "anchor": "start", "offset": 8},
}


def rows_by_day(rows: Mapping[date, float], title: str, first: date, last: date) -> str:
    """Draw the rows of each day as bars.

    Args:
        rows: the number of rows by day; a day without is 0.
        title: above the chart.
        first: the first day of the axis.
        last: the last one.
    """
    bar = _bars(BLUE, first, last)
    return _svg({**_by_day(rows, first, last), **bar, "title": title})


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
    crosses = {day: 0.0 for day in failed if failed[day]}
    mark = {"type": "point", "shape": CROSS, "size": 60, "strokeWidth": 2, "opacity": 1}
    drawn = _marks({**mark, "color": VERMILION}, first, last)
    drawn["encoding"]["y"] = {"value": 5}  # pixels from the top
    bars = {**_by_day(seconds, first, last), **_bars(FAINT, first, last)}
    layers = [bars, {**_by_day(crosses, first, last), **drawn}]
    return _svg({"layer": layers if crosses else layers[:1], "title": title})


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
        scale = (first - timedelta(days=PADDING), last + timedelta(days=PADDING))
        layers = [{**_by_day(values, *scale), **_bars(BLUE, *scale, days=7)}]
        if not number and any(failed.values()):
            title = f"{title} (orange: failed)"
            layers.append({**_by_day(failed, *scale), **_bars(VERMILION, *scale, days=7)})
        drawn.append({"layer": layers, "title": title, "width": WIDTH, "height": HEIGHT // 2})
    return _svg({"vconcat": drawn, "spacing": 14})


def _by_day(values: Mapping[date, float], first: date, last: date) -> dict[str, Any]:
    shown: Sequence[tuple[date, float]] = sorted(
        (day, value) for day, value in values.items() if first <= day <= last
    )
    return {"data": {"values": [{"d": f"{day}T00:00", "v": value} for day, value in shown]}}


def _bars(colour: str, first: date, last: date, days: int = 1) -> dict[str, Any]:
    width = WIDTH * days / max((last - first).days + 1, days)
    mark = {"type": "bar", "color": colour, "width": max(1.0, round(width * 0.8, 1))}
    return _marks(mark, first, last, days)


def _marks(mark: Mapping[str, Any], first: date, last: date, days: int = 1) -> dict[str, Any]:
    ends = [f"{first}T00:00", f"{last}T00:00"]
    step = max((last - first).days // LABELS // days, 1) * days
    shown = last if days == 1 else last - timedelta(days=PADDING)
    labelled = [f"{shown - timedelta(days=back * step)}T00:00" for back in range(LABELS + 1)]
    x: dict[str, Any] = {
        "field": "d",
        "type": "temporal",
        "scale": {"domain": ends, "padding": 6},
        "title": None,
    }
    x["axis"] = {"values": labelled[::-1]}
    y = {"field": "v", "type": "quantitative", "title": None, "scale": {"domainMin": 0}}
    return {"mark": mark, "encoding": {"x": x, "y": y}}


def _svg(spec: Mapping[str, Any]) -> str:
    import vl_convert  # takes a while to start, which definitions and loads do not need

    size = {} if "vconcat" in spec else {"width": WIDTH, "height": HEIGHT}
    drawn = vl_convert.vegalite_to_svg({**size, **spec, "config": CONFIG}, vl_version=VEGA_LITE)
    return _small(drawn)


def _small(svg: str) -> str:
    """Return a picture without what changes nothing in it: half of its size."""
    return EMPTY.sub("", PLACES.sub(_rounded, DEFAULTS.sub("", svg)))


def _rounded(place: re.Match[str]) -> str:
    return DECIMALS.sub(r"\1", place[0])
