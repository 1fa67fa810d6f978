"""The report as a page, made of values."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from analytics_assets.cli.commands.report.table_report import RejectedReport, ScheduleReport
from analytics_assets_tests.cli.commands.report.tables import NOW, TODAY, check, load, page, table

HOSTILE = "</style><script>alert(1)</script>\" onload='x' & <b>"
VOID = ("meta", "link", "br", "img", "hr", "input")


class Elements(HTMLParser):
    """The elements and the texts of a page, which fails for one that is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def shown(text: str) -> str:
    """Return the text of a page in one line."""
    return " ".join(" ".join(Elements(text).texts).split())


def test_a_table_shows_its_numbers_and_charts() -> None:
    text = page(table(rows={TODAY: 70}, day_column="date", endpoint="/v1/orders"))

    words = shown(text)
    for part in (
        "2026-01-31 12:00 UTC · warehouse.duckdb: shop",
        "rows in the table 48,000",
        "newest data 2026-01-30 (yesterday)",
        "took 3.5 s",
        "rows loaded 1,200 of 1,203 received",
        "received 123.5 kB",
        "✓ 1 passed rows_present",
        "Rows of each day, by date",
        "Seconds of a load",
    ):
        assert part in words
    assert text.count("<svg ") == 2


def test_a_table_without_a_day_shows_the_rows_of_its_loads() -> None:
    assert "Rows loaded on each day" in shown(page(table()))


def test_a_failed_load_shows_its_error_and_the_numbers_of_the_one_before() -> None:
    error = load("failed", error="The API answered 403. See `scope`.", first_partition="2026-01-30")
    before = load(started_at=NOW - timedelta(days=2))
    words = shown(page(table(last={**error, "last_partition": "2026-01-30"}, last_loaded=before)))

    failed = "The last load failed , 3 h ago, of 2026-01-30. The API answered 403. See scope ."
    assert failed in words
    assert "loaded 2026-01-29 12:00 UTC" in words
    assert "rows in the table 48,000" in words


def test_an_earlier_failure_is_mentioned_and_no_alarm() -> None:
    failure = load("killed", error="Its process ended.", started_at=NOW - timedelta(days=3))
    text = page(table(last_failure=failure))

    assert "The last failed load was 3 days ago: Its process ended." in shown(text)
    assert 'class="error"' not in text


def test_checks_that_failed_are_shown_with_their_severity() -> None:
    checks = [check("primary_key", text="3 keys occur twice."), check("cursor", severity="WARN")]
    words = shown(page(table(checks=checks)))

    assert "✕ failed primary_key , 2 h ago: 3 keys occur twice." in words
    assert "! warning cursor" in words


def test_rejected_rows_changed_fields_and_schedules_are_shown() -> None:
    schedules = [
        ScheduleReport("shop_daily", "0 6 * * * (UTC)", True),
        ScheduleReport("shop_hourly", "5 * * * * (UTC)", False),
        ScheduleReport("other", "5 5 * * * (UTC)", None),
    ]
    rejected = [RejectedReport("`views` is a text", 12, NOW, '{"views": "many"}')]
    last = load(unknown_fields="campaign", absent_fields="source")
    words = shown(page(table(schedules=schedules, rejected=rejected, last=last)))

    assert "12 rows since 2026-01-31 12:00 UTC: views is a text" in words
    assert '{"views": "many"}' in words
    assert "Rows have, and the contract does not know: campaign" in words
    assert "The contract has, and no row of the last load: source" in words
    assert "shop_daily, 0 6 * * * (UTC) : on" in words
    assert "shop_hourly, 5 * * * * (UTC) : off" in words
    assert "other, 5 5 * * * (UTC) : unknown if it is on" in words


def test_states_are_words_and_not_only_colours() -> None:
    tables = [table("shop/a"), table("shop/b", last=None), table("shop/c", last=load("failed"))]
    words = shown(page(*tables))

    for word in ("✓ ok", "○ never loaded", "✕ failed"):
        assert words.count(word) == 3  # among the numbers, in the summary, and beside the table


def test_links_lead_to_each_table_and_to_dagster_where_its_address_is_set() -> None:
    url = "https://dagster.example.com/assets/shop/orders"
    elements = Elements(page(table(url=url), dagster_url="https://dagster.example.com")).found

    links = [attributes.get("href") for tag, attributes in elements if tag == "a"]
    anchors = {attributes["id"] for _, attributes in elements if "id" in attributes}
    assert {"#shop-orders", "#top", url, "https://dagster.example.com"} <= {*links}
    assert {str(link)[1:] for link in links if str(link).startswith("#")} <= anchors
    assert "Dagster" not in shown(page(table()))


@pytest.mark.parametrize("tables", [(), (table(last=None, days=(), checks=()),)])
def test_an_empty_project_and_an_empty_warehouse_say_so(tables: Any) -> None:
    words = shown(page(*tables))

    assert ("Nothing was loaded yet." if tables else "No resource is described in") in words
    assert "analytics-assets materialize" in words or not tables


def test_no_value_is_taken_for_html() -> None:
    hostile = load(
        "failed",
        error=HOSTILE,
        unknown_fields=HOSTILE,
        newest_data=HOSTILE,
        first_partition=HOSTILE,
        last_partition=HOSTILE,
    )
    text = page(
        table(
            f"shop/{HOSTILE}",
            last=hostile,
            last_loaded=hostile,
            description=HOSTILE,
            endpoint=HOSTILE,
            url=HOSTILE,
            rows={TODAY: 3},
            day_column=HOSTILE,
            checks=[check(HOSTILE, text=HOSTILE), check(HOSTILE, passed=True)],
            rejected=[RejectedReport(HOSTILE, 1, NOW, HOSTILE)],
            schedules=[ScheduleReport(HOSTILE, HOSTILE, True)],
        ),
        dagster_url=HOSTILE,
    )

    elements = Elements(text)
    assert {tag for tag, _ in elements.found}.isdisjoint({"script", "iframe", "img"})
    assert not [name for _, attributes in elements.found for name in attributes if name[:2] == "on"]
    assert text.count("</style>") == 1
    assert HOSTILE in elements.texts


def test_the_page_is_one_file_and_asks_no_network() -> None:
    text = page(table(rows={TODAY: 70}, day_column="date"))

    elements = Elements(text).found
    assert not [
        attributes for _, attributes in elements if {"src", "data", "srcset"} & {*attributes}
    ]
    assert {tag for tag, _ in elements}.isdisjoint({"script", "link", "iframe", "object"})
    assert not re.search(r"url\(|@import", text)
    assert "default-src 'none'" in text


def test_hundreds_of_tables_are_a_page_of_bounded_size() -> None:
    one, many = (len(page(*[table(f"shop/t{each}") for each in range(n)])) for n in (1, 21))

    assert (many - one) / 20 < 16_000
