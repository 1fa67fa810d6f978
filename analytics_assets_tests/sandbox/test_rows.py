import csv
from collections import Counter
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest

from analytics_assets.sandbox import sandbox_rows

TODAY = date(2026, 11, 23)
FIRST_DAY = date(2025, 7, 2)
RESTATED = ("website_overview", "daily_active_users", "traffic_sources")
RESOURCES = ("page_views", *RESTATED)
MEASURES = {
    "website_overview": ("sessions", "page_views", "new_users"),
    "daily_active_users": ("active_users", "new_users"),
    "traffic_sources": ("sessions", "new_users"),
}


def csv_views() -> dict[tuple[str, str], int]:
    source = files("analytics_assets.sandbox") / "data" / "wikipedia_traffic_daily.csv"
    lines = source.read_text(encoding="utf-8").splitlines()
    return {(line["Page"], line["date"]): int(line["value"]) for line in csv.DictReader(lines)}


def csv_key(row: dict[str, Any], days_back: int) -> tuple[str, str]:
    page = f"{row['page'].replace(' ', '_')}_{row['project']}_{row['access']}_{row['agent']}"
    return page, (date.fromisoformat(row["date"]) - timedelta(days=days_back)).isoformat()


def by_id(resource: str, today: date) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in sandbox_rows(resource, today)}


def test_page_views_are_the_published_counts_522_weeks_later() -> None:
    rows = sandbox_rows("page_views", FIRST_DAY + timedelta(days=550))

    assert {csv_key(row, 522 * 7): row["page_views"] for row in rows} == csv_views()
    assert len(rows) == 4950


def test_titles_read_as_titles() -> None:
    titles = {row["page"]: row["project"] for row in sandbox_rows("page_views", TODAY)}

    assert titles["Philip, Duke of Edinburgh"] == "de.wikipedia.org"
    assert titles["Яшин, Лев Иванович"] == "ru.wikipedia.org"
    assert titles["星野源"] == "ja.wikipedia.org"
    assert len(titles) == 9


def test_page_views_start_over_after_550_days() -> None:
    views = csv_views()
    rows = sandbox_rows("page_views", FIRST_DAY + timedelta(days=553))
    repeated = [row for row in rows if row["date"] >= "2027-01-03"]

    assert len(repeated) == 27
    assert all(row["page_views"] == views[csv_key(row, 522 * 7 + 550)] for row in repeated)


def test_page_views_are_never_restated() -> None:
    before, after = by_id("page_views", TODAY), by_id("page_views", TODAY + timedelta(days=1))

    assert after.items() >= before.items()
    assert {after[new]["date"] for new in after.keys() - before.keys()} == {"2026-11-23"}
    assert {(row["date"], row["updated_at"]) for row in after.values()} == {
        (f"{day}", f"{day + timedelta(days=1)}T00:00:00Z")
        for day in (FIRST_DAY + timedelta(days=n) for n in range(510))
    }


@pytest.mark.parametrize(
    ("resource", "count"),
    [
        ("page_views", 4581),
        ("website_overview", 1527),
        ("daily_active_users", 3054),
        ("traffic_sources", 7635),
    ],
)
def test_there_is_every_day_from_the_first_to_yesterday(resource: str, count: int) -> None:
    per_day = Counter(row["date"] for row in sandbox_rows(resource, TODAY))

    assert sum(per_day.values()) == count
    assert list(per_day) == [f"{FIRST_DAY + timedelta(days=n)}" for n in range(509)]
    assert len(set(per_day.values())) == 1


@pytest.mark.parametrize("resource", RESOURCES)
def test_there_is_nothing_before_the_second_day(resource: str) -> None:
    assert sandbox_rows(resource, FIRST_DAY - timedelta(days=30)) == []
    assert sandbox_rows(resource, FIRST_DAY) == []
    assert {row["date"] for row in sandbox_rows(resource, FIRST_DAY + timedelta(days=1))} == {
        "2025-07-02"
    }


@pytest.mark.parametrize("resource", RESOURCES)
def test_rows_come_by_date_then_id_and_ids_are_unique(resource: str) -> None:
    keys = [(row["date"], row["id"]) for row in sandbox_rows(resource, TODAY)]

    assert keys == sorted(keys)
    assert len({identity for _, identity in keys}) == len(keys)


@pytest.mark.parametrize("resource", RESTATED)
def test_overnight_exactly_three_dates_change_and_one_is_added(resource: str) -> None:
    # Enough nights to meet small counts and days without sessions.
    for night in range(1, 140):
        today = FIRST_DAY + timedelta(days=night)
        before, after = by_id(resource, today), by_id(resource, today + timedelta(days=1))
        recent = {f"{today - timedelta(days=age)}" for age in (1, 2, 3)}

        assert before.keys() <= after.keys()
        assert {after[new]["date"] for new in after.keys() - before.keys()} == {f"{today}"}
        for identity, row in before.items():
            if row["date"] in recent:
                old = [row[name] for name in MEASURES[resource]]
                new = [after[identity][name] for name in MEASURES[resource]]
                assert old != new
                assert all(earlier <= later for earlier, later in zip(old, new, strict=True))
                assert row["updated_at"] < after[identity]["updated_at"]
            else:
                assert row == after[identity]


@pytest.mark.parametrize("resource", RESTATED)
def test_rows_have_the_time_of_their_last_restatement(resource: str) -> None:
    for row in sandbox_rows(resource, TODAY):
        day = date.fromisoformat(row["date"])
        age = min((TODAY - day).days, 4)
        assert row["updated_at"] == f"{day + timedelta(days=age)}T00:00:00Z"


@pytest.mark.parametrize("resource", RESTATED)
def test_provisional_counts_are_a_few_percent_short_of_the_final_ones(resource: str) -> None:
    final = by_id(resource, TODAY + timedelta(days=4))
    for row in sandbox_rows(resource, TODAY):
        age = (TODAY - date.fromisoformat(row["date"])).days
        share = {1: 0.94, 2: 0.97, 3: 0.99}.get(age, 1)
        for name in MEASURES[resource]:
            assert abs(row[name] - final[row["id"]][name] * share) <= 4


def test_the_bounce_rate_is_null_on_a_few_days_and_only_without_sessions() -> None:
    rows = sandbox_rows("website_overview", TODAY)
    without = [row for row in rows if row["bounce_rate"] is None]

    assert 5 <= len(without) <= 50
    assert all((row["bounce_rate"] is None) == (row["sessions"] == 0) for row in rows)
    assert all(
        row["bounce_rate"] == round(row["bounce_rate"], 4) and 0 <= row["bounce_rate"] <= 1
        for row in rows
        if row["bounce_rate"] is not None
    )


@pytest.mark.parametrize(
    ("resource", "columns"),
    [
        ("website_overview", ("analytics_id",)),
        ("daily_active_users", ("analytics_id", "user_key")),
        ("traffic_sources", ("analytics_id", "source", "medium")),
    ],
)
def test_there_is_one_row_for_each_combination_and_day(
    resource: str, columns: tuple[str, ...]
) -> None:
    rows = sandbox_rows(resource, TODAY)
    combinations = {tuple(row[name] for name in columns) for row in rows}
    keys = {tuple(row[name] for name in ("date", *columns)) for row in rows}

    assert len({row["analytics_id"] for row in rows}) == 3
    assert len(keys) == len(rows) == len(combinations) * 509


def test_new_users_are_never_more_than_the_users_they_are_among() -> None:
    for row in sandbox_rows("website_overview", TODAY):
        assert row["new_users"] <= row["sessions"] <= row["page_views"]
    for row in sandbox_rows("daily_active_users", TODAY):
        assert row["new_users"] <= row["active_users"]
    for row in sandbox_rows("traffic_sources", TODAY):
        assert row["new_users"] <= row["sessions"]


def test_an_unknown_resource_is_refused() -> None:
    with pytest.raises(KeyError):
        sandbox_rows("nothing", TODAY)
