"""Charts of an asset's page: small enough to stand in place, and readable pictures."""

import base64
import re
from xml.etree import ElementTree

from analytics_assets.orchestration.metadata.bar_chart import bar_chart
from analytics_assets.orchestration.metadata.sparkline import HEIGHT, MOST_IN_PLACE, sparkline

SENTENCE = (
    "1,000,000,000 to 2,000,000,000 rows a month, 2020-01-01 to 2025-12-01; none in 59 months."
)


def svg_of(markdown: str) -> ElementTree.Element:
    found = re.search(r"base64,([^)]*)\)", markdown)
    assert found is not None
    return ElementTree.fromstring(base64.b64decode(found[1]))


def path_of(markdown: str) -> str:
    return next(each.attrib["d"] for each in svg_of(markdown) if "url" in each.get("fill", ""))


def test_sixty_days_of_any_rows_stand_in_place() -> None:
    values = [10**9 + 10**7 * (number * 37 % 60) for number in range(60)]

    assert len(sparkline(values, 60, SENTENCE)) < MOST_IN_PLACE


def test_a_day_without_rows_has_no_bar_and_one_with_few_a_visible_one() -> None:
    path = path_of(sparkline([1, 0, 0, 100000], 4, "rows"))

    assert path == f"M0 {HEIGHT}V{HEIGHT - 1}h1V{HEIGHT}h2V1h1V{HEIGHT}"


def test_zeros_alone_are_a_line() -> None:
    assert path_of(sparkline([0, 0], 2, "rows")) == f"M0 {HEIGHT}V{HEIGHT}h2V{HEIGHT}"


def test_the_large_chart_has_axes_of_days_and_rows() -> None:
    labels = [f"2026-01-{day:02}" for day in range(1, 31)]

    chart = ElementTree.fromstring(bar_chart("Rows <of> orders", labels, [0, *range(1, 30)]))
    texts = ["".join(each.itertext()) for each in chart.iter() if each.tag.endswith("}text")]

    assert texts[0] == "Rows <of> orders"
    assert texts[1:6] == ["0", "10", "20", "30", "40"]
    assert texts[6:] == labels[::5]
    bars = [each.attrib["d"] for each in chart if each.get("fill") and "d" in each.attrib]
    assert bars[0].count("M") == 29
