from datetime import date
from typing import Any

import pytest
import requests

from analytics_assets.sandbox import Sandbox, sandbox_rows
from analytics_assets_tests.sandbox.client import access_token, collect, get_page

RESOURCES = ("page_views", "website_overview", "daily_active_users", "traffic_sources")
TODAY = date(2026, 3, 10)


@pytest.mark.parametrize("resource", RESOURCES)
def test_paging_gives_every_row_exactly_once(sandbox: Sandbox, resource: str) -> None:
    assert collect(sandbox, resource) == sandbox_rows(resource, TODAY)


def test_pages_have_100_rows_unless_fewer_are_asked_for(sandbox: Sandbox) -> None:
    def size(**query: Any) -> int:
        return len(get_page(sandbox, "traffic_sources", **query).json()["data"])

    assert size() == 100
    assert size(limit=7) == 7
    assert size(limit=5000) == 100


def test_the_page_cap_can_be_set() -> None:
    with Sandbox(today=TODAY, page_cap=3) as sandbox:
        page = get_page(sandbox, "page_views", limit=50).json()

        assert len(page["data"]) == 3
        assert page["total"] == len(sandbox_rows("page_views", TODAY))
    with Sandbox(today=TODAY, page_cap=500) as sandbox:
        assert len(get_page(sandbox, "page_views", limit=400).json()["data"]) == 400


def test_a_page_beyond_the_end_is_empty(sandbox: Sandbox) -> None:
    total = len(sandbox_rows("page_views", TODAY))
    page = get_page(sandbox, "page_views", offset=total).json()

    assert page == {"data": [], "total": total}


def test_dates_are_filtered_with_both_ends_included(sandbox: Sandbox) -> None:
    rows = collect(sandbox, "traffic_sources", start_date="2026-01-05", end_date="2026-01-20")

    assert rows == [
        row
        for row in sandbox_rows("traffic_sources", TODAY)
        if "2026-01-05" <= row["date"] <= "2026-01-20"
    ]
    assert len(rows) == 16 * 15


@pytest.mark.parametrize("since", ["2026-03-06T00:00:00Z", "2026-03-06", "2026-03-06T01:00+01:00"])
def test_updated_since_includes_the_moment_itself(sandbox: Sandbox, since: str) -> None:
    rows = collect(sandbox, "website_overview", updated_since=since)

    assert rows == [
        row
        for row in sandbox_rows("website_overview", TODAY)
        if row["updated_at"] >= "2026-03-06T00:00:00Z"
    ]
    assert {row["updated_at"] for row in rows} == {
        f"2026-03-{day}T00:00:00Z" for day in ("06", "07", "08", "09", "10")
    }


def test_updated_since_leaves_out_what_is_a_second_older(sandbox: Sandbox) -> None:
    rows = collect(sandbox, "website_overview", updated_since="2026-03-06T00:00:01Z")

    assert min(row["updated_at"] for row in rows) == "2026-03-07T00:00:00Z"


@pytest.mark.parametrize("name", ["updated_at", "date"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_sorting_orders_all_pages_as_one(sandbox: Sandbox, name: str, sign: str) -> None:
    rows = collect(sandbox, "daily_active_users", sort=f"{sign}{name}")
    values = [row[name] for row in rows]

    assert values == sorted(values, reverse=sign == "-")
    assert sorted(row["id"] for row in rows) == sorted(
        row["id"] for row in sandbox_rows("daily_active_users", TODAY)
    )


@pytest.mark.parametrize(
    "query",
    [
        {"offset": "-1"},
        {"offset": "one"},
        {"limit": "0"},
        {"limit": "1.5"},
        {"limit": ""},
        {"start_date": "yesterday"},
        {"end_date": "2026-02-30"},
        {"updated_since": "soon"},
        {"sort": "sessions"},
    ],
)
def test_a_malformed_parameter_is_named_in_a_400(sandbox: Sandbox, query: dict[str, str]) -> None:
    reply = get_page(sandbox, "page_views", **query)

    assert reply.status_code == 400
    assert next(iter(query)) in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic YTpi"}]
)
def test_data_needs_a_valid_token(sandbox: Sandbox, headers: dict[str, str]) -> None:
    reply = requests.get(f"{sandbox.base_url}/v1/page_views", headers=headers, timeout=60)

    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert reply.json()["error"]["message"]


def test_an_unknown_resource_or_path_is_a_404_in_json(sandbox: Sandbox) -> None:
    assert get_page(sandbox, "nothing").status_code == 404
    assert get_page(sandbox, "nothing").json()["error"]["code"] == "not_found"
    assert requests.get(f"{sandbox.base_url}/x", timeout=60).json()["error"]["code"] == "not_found"


RESTATED = [
    {"id": n, "date": f"2026-01-{n:02}", "updated_at": f"2026-02-{29 - n:02}T12:00:00.5Z"}
    for n in range(1, 29)
]


class OtherRows(Sandbox):
    def rows(self, resource: str) -> list[dict[str, Any]]:
        return [*RESTATED, {"id": 0}]


def test_rows_of_a_subclass_are_paged_filtered_and_sorted_like_the_others() -> None:
    with OtherRows(page_cap=10) as sandbox:
        assert collect(sandbox, "mine") == [*RESTATED, {"id": 0}]
        assert collect(sandbox, "mine", start_date="2026-01-20") == RESTATED[19:]
        assert collect(sandbox, "mine", updated_since="2026-02-27T12:00:00Z") == RESTATED[:2]
        assert collect(sandbox, "mine", sort="-date")[0] == RESTATED[-1]


def test_moving_the_clock_moves_the_data(sandbox: Sandbox) -> None:
    sandbox.today = date(2026, 3, 11)

    assert collect(sandbox, "website_overview") == sandbox_rows(
        "website_overview", date(2026, 3, 11)
    )
    days = iter([date(2025, 7, 3), date(2025, 7, 4)])
    sandbox.today = lambda: next(days)
    token = access_token(sandbox)
    totals = [get_page(sandbox, "page_views", token=token).json()["total"] for _ in range(2)]
    assert totals == [9, 18]


def test_the_index_names_the_real_data_and_links_each_resource(sandbox: Sandbox) -> None:
    index = requests.get(sandbox.base_url, timeout=60).json()

    assert "real" in index["data"]["page_views"]
    assert index["links"]["token"] == sandbox.token_url
    assert requests.get(index["links"]["openapi"], timeout=60).json()["openapi"] == "3.1.0"
    assert set(index["links"]["resources"]) == set(RESOURCES)
    headers = {"Authorization": f"Bearer {access_token(sandbox)}"}
    for link in index["links"]["resources"].values():
        assert requests.get(link, headers=headers, timeout=60).status_code == 200
