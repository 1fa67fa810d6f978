"""Rows of the shapes in which vendors of analytics answer, by configuration alone."""

from datetime import date
from typing import Any

import pytest

from analytics_assets_tests.support.paged_server import Answer, Answers, attempted, in_turn, read

GOOGLE = {
    "zip": [
        {"names": "dimensionHeaders[*].name", "values": "dimensionValues[*].value"},
        {
            "names": "metricHeaders[*].name",
            "values": "metricValues[*].value",
            "types": "metricHeaders[*].type",
        },
    ],
    "fields": {"property_id": {"path": 2}, "currency": {"body": "metadata.currencyCode"}},
}
HEADERS = {
    "dimensionHeaders": [{"name": "date"}, {"name": "country"}],
    "metricHeaders": [
        {"name": "sessions", "type": "TYPE_INTEGER"},
        {"name": "revenue", "type": "TYPE_CURRENCY"},
    ],
    "metadata": {"currencyCode": "EUR", "timeZone": "Europe/Berlin"},
    "kind": "analyticsData#runReport",
}
FRANCE = {
    "dimensionValues": [{"value": "20260131"}, {"value": "France"}],
    "metricValues": [{"value": "12"}, {"value": "0.53846153846153844"}],
}
NOT_SET = {
    "dimensionValues": [{"value": "20260131"}, {"value": "(not set)"}],
    "metricValues": [{"value": "0"}, {"value": "7"}],
}


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")


def rows_of(answers: Answers, rows: dict[str, Any], selector: str, **endpoint: Any) -> list[Any]:
    """The rows of a read, as the validation gets them."""
    entry = {"primary_key": None, "rows": rows}
    endpoint = {"paginator": "single_page", **endpoint}
    return read(answers, entry, data_selector=selector, **endpoint).rows


def of_body(body: Any, rows: dict[str, Any], selector: str, **endpoint: Any) -> list[Any]:
    """The rows of a page with this body."""
    return rows_of(in_turn(*[Answer(body)] * 2), rows, selector, **endpoint)


def report(*rows: Any, **body: Any) -> dict[str, Any]:
    return {**HEADERS, **body, **({"rows": list(rows)} if rows else {})}


def test_a_report_of_google_analytics_has_a_row_per_row_with_the_types_of_its_headers() -> None:
    path = "/properties/1234:runReport"
    france, not_set = of_body(report(FRANCE, NOT_SET, rowCount=2), GOOGLE, "rows", path=path)

    assert france == {
        "date": "20260131",
        "country": "France",
        "sessions": 12,
        "revenue": 0.53846153846153844,
        "property_id": "1234:runReport",
        "currency": "EUR",
    }
    assert not_set["country"] == "(not set)"
    assert (not_set["sessions"], not_set["revenue"]) == (0, 7.0)
    assert type(not_set["revenue"]) is float


def test_a_report_of_google_analytics_without_rows_needs_no_policy() -> None:
    without_dimensions = {name: HEADERS[name] for name in HEADERS if name != "dimensionHeaders"}

    assert of_body(report(), GOOGLE, "rows", path="/properties/1234:runReport") == []
    assert of_body(without_dimensions, GOOGLE, "rows", path="/properties/1:runReport") == []


def test_a_report_whose_rows_are_elsewhere_is_no_empty_report() -> None:
    answers = in_turn(*[Answer({**HEADERS, "data": [["20260131", "France"]]})] * 2)
    entry = {"primary_key": None, "rows": {**GOOGLE, "fields": {}}}
    found = attempted(answers, entry, data_selector="rows", paginator="single_page")

    assert "no `rows` in its body" in found.error


def test_pages_of_a_report_are_counted_as_the_api_counts_them() -> None:
    rows = [{**FRANCE, "dimensionValues": [{"value": "1"}, {"value": str(n)}]} for n in range(5)]

    def answer(asked: Any) -> Answer:
        offset = asked.number("offset")
        return Answer(report(*rows[offset : offset + 2], rowCount=5))

    found = read(
        answer,
        {"primary_key": ["date", "country"], "rows": {"zip": GOOGLE["zip"]}},
        data_selector="rows",
        paginator={"type": "offset", "limit": 2, "total_path": "rowCount"},
    )

    assert [row["country"] for row in found.rows] == ["0", "1", "2", "3", "4"]
    assert found.asked_for("offset") == [(0,), (2,), (4,)]


def test_days_of_matomo_are_rows_with_their_day() -> None:
    by_page = {
        "2026-01-30": [{"label": "/", "nb_visits": 3}, {"label": "/a", "nb_visits": 1}],
        "2026-01-31": [],
        "2026-02-01": [{"label": "/", "nb_visits": 5}],
    }
    assert of_body(by_page, {"entries": {"key": "date"}}, "$") == [
        {"label": "/", "nb_visits": 3, "date": "2026-01-30"},
        {"label": "/a", "nb_visits": 1, "date": "2026-01-30"},
        {"label": "/", "nb_visits": 5, "date": "2026-02-01"},
    ]
    summary = {"2026-01-30": {"nb_visits": 3}, "2026-01-31": []}
    assert of_body(summary, {"entries": {"key": "date"}}, "$") == [
        {"nb_visits": 3, "date": "2026-01-30"}
    ]
    visits = {"2026-01-30": 3, "2026-01-31": 0}
    assert of_body(visits, {"entries": {"key": "date", "value": "visits"}}, "$") == [
        {"visits": 3, "date": "2026-01-30"},
        {"visits": 0, "date": "2026-01-31"},
    ]


@pytest.mark.parametrize("body", [[], {}])
def test_an_object_without_keys_has_no_rows_also_as_php_writes_it(body: Any) -> None:
    assert of_body(body, {"entries": {"key": "date"}}, "$") == []
    assert of_body({"reportData": body}, {"entries": {"key": "date"}}, "reportData") == []


def test_an_error_of_matomo_is_no_row() -> None:
    answers = in_turn(*[Answer({"result": "error", "message": "no access"})] * 2)
    entry = {"primary_key": None, "rows": {"entries": {"key": "date", "value": "visits"}}}
    found = attempted(answers, entry, data_selector="$", paginator="single_page")

    assert "`result` being 'error' in its body" in found.error


def test_segments_of_mixpanel_are_rows_with_segment_and_day() -> None:
    body = {
        "legend_size": 2,
        "data": {
            "series": ["2026-01-30", "2026-01-31"],
            "values": {
                "France": {"2026-01-30": 7, "2026-01-31": 0},
                "count": {"2026-01-30": 1},
            },
        },
    }
    rows = {
        "entries": {"key": ["country", "date"], "value": "signups"},
        "fields": {"event": {"param": "event"}, "source": "mixpanel"},
    }
    known = {"event": "Signed Up", "source": "mixpanel"}
    params = {"event": "Signed Up"}

    assert of_body(body, rows, "data.values", params=params) == [
        {"signups": 7, "country": "France", "date": "2026-01-30", **known},
        {"signups": 0, "country": "France", "date": "2026-01-31", **known},
        {"signups": 1, "country": "count", "date": "2026-01-30", **known},
    ]


def test_results_of_plausible_get_the_names_of_the_query() -> None:
    query = {"site_id": "example.com", "dimensions": ["time:day"], "metrics": ["visitors"]}
    body = {
        "results": [{"dimensions": ["2026-01-30"], "metrics": [12]}],
        "meta": {"total_rows": 1},
        "query": query,
    }
    rows = {
        "zip": [
            {"names": "query.dimensions", "values": "dimensions"},
            {"names": "query.metrics", "values": "metrics"},
        ],
        "fields": {"site": {"param": "json.site_id"}},
    }

    assert of_body(body, rows, "results", method="POST", json=query) == [
        {"time:day": "2026-01-30", "visitors": 12, "site": "example.com"}
    ]


def test_tables_of_columns_and_rows_have_the_types_that_are_beside_their_names() -> None:
    body = {
        "columns": ["day", "event", "count", "share"],
        "types": [["day", "Date"], ["event", "String"], ["count", "UInt64"], ["share", "Float64"]],
        "results": [["2026-01-30", "12", "9007199254740993", 1], ["2026-01-31", None, 0, 0.5]],
    }
    rows = {"zip": [{"names": "columns", "values": "$", "types": "types[*][1]"}]}

    found = of_body(body, rows, "results")

    assert found == [
        {"day": date(2026, 1, 30), "event": "12", "count": 9007199254740993, "share": 1.0},
        {"day": date(2026, 1, 31), "event": None, "count": 0, "share": 0.5},
    ]
    assert type(found[0]["share"]) is float
