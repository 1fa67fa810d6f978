"""Charts as SVG texts."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

from analytics_assets.orchestration.metadata.charts import (
    BLUE,
    VERMILION,
    rows_by_day,
    seconds_by_day,
    weeks,
)

LAST = date(2026, 1, 31)
FIRST = LAST - timedelta(days=59)


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter() if each.text]


def marks(svg: str, colour: str) -> list[tuple[float, ...]]:
    """Return the place, the width and the height of bars in a colour."""
    found = re.findall(rf'd="M([\d.]+),([\d.]+)h([\d.]+)v([\d.]+)[^"]*" fill="{colour}"', svg)
    return [tuple(map(float, each)) for each in found]


def test_a_bar_is_as_high_as_the_rows_of_its_day() -> None:
    svg = rows_by_day({LAST: 1000, LAST - timedelta(days=1): 500}, "Rows a day", FIRST, LAST)

    before, last = sorted(marks(svg, BLUE))
    assert last[3] == 2 * before[3] > 0
    assert 5 < last[0] - before[0] < 8  # the sixtieth part of the width
    assert {"Rows a day", "31 Jan", "500", "1k", "0"} <= {*texts(svg)}


def test_days_outside_the_axis_are_left_out() -> None:
    svg = rows_by_day({FIRST - timedelta(days=1): 9000, LAST: 1}, "Rows a day", FIRST, LAST)

    assert len(marks(svg, BLUE)) == 1


def test_the_axis_of_fractions_of_a_second_has_decimals() -> None:
    svg = seconds_by_day({LAST: 0.8}, {}, "Seconds", FIRST, LAST)

    assert "0.5" in texts(svg)


def test_a_day_with_a_failed_load_has_a_cross() -> None:
    quiet = seconds_by_day({LAST: 1.5}, {}, "Seconds", FIRST, LAST)
    failed = seconds_by_day({LAST: 1.5}, {FIRST: 2, LAST: 0}, "Seconds", FIRST, LAST)

    assert VERMILION not in quiet
    assert failed.count(f'stroke="{VERMILION}"') == 1


def test_weeks_have_a_panel_each_and_failed_loads_within_the_first() -> None:
    mondays = [date(2026, 1, 5) + timedelta(days=7 * week) for week in range(4)]
    panels = {"Loads": dict.fromkeys(mondays, 7), "Rows": dict.fromkeys(mondays, 2_000_000)}
    svg = weeks(panels, {mondays[0]: 2})

    assert {"Loads (orange: failed)", "Rows", "2M"} <= {*texts(svg)}
    assert (len(marks(svg, BLUE)), len(marks(svg, VERMILION))) == (8, 1)


def test_a_title_from_outside_stays_a_text() -> None:
    title = '<script>alert(1)</script> & "more"'

    assert title in texts(rows_by_day({LAST: 1}, title, FIRST, LAST))


def test_a_chart_is_small_loads_nothing_and_has_no_background() -> None:
    rows = {FIRST + timedelta(days=day): 10_000 + 37 * day for day in range(60)}
    svg = rows_by_day(rows, "Rows a day", FIRST, LAST)

    assert len(svg) < 8_000
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r'fill="(white|#fff)', svg)
