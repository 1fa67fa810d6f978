"""Umami, as data: the websites, and of each the events, sessions and statistics by day (README.md).

`base_url` is `https://api.umami.is/v1` for Umami Cloud, or that of an instance of your own with
`/api` at its end.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
import dlt

from analytics_assets import Api, Full, Partitioned, Window, build_definitions

START = date(2026, 1, 1)
WINDOW = Window(
    start_param="startAt",
    end_param="endAt",
    format="epoch_milliseconds",
    resolution=timedelta(milliseconds=1),  # that of Umami's events; both ends are inclusive
)

# rows with a time of their own
BY_DAY = Partitioned(start=START, window=WINDOW, lookback=1)
# numbers of a span of time: one request per day
NUMBERS = Partitioned(start=START, window=WINDOW, lookback=1, longest_window=31, longest_request=1)

DAY_OF_REQUEST = {"date": {"param": "startAt"}}
WEBSITE_AND_DAY = {"website_id": {"path": 2}, **DAY_OF_REQUEST}
PAGES = {"type": "page_number", "base_page": 1, "total_path": "count"}


def without_comparison(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a day without those of the day before, which are a row of their own."""
    return {name: value for name, value in row.items() if name != "comparison"}


API = Api(
    name="umami",
    file=__file__,
    config={
        "client": {
            "base_url": dlt.config.value,
            "auth": {
                "type": "api_key",
                "name": "x-umami-api-key",
                "api_key": dlt.secrets.value,
                "location": "header",
            },
        },
        "resource_defaults": {"write_disposition": "merge"},
        "templates": {
            # the numbers of a day by page, country and so on
            "breakdown": {
                "primary_key": ["website_id", "date", "name"],
                "merge_key": ["website_id", "date"],  # a day is replaced as a whole
                "endpoint": {
                    "path": "websites/{resources.websites.id}/metrics/expanded",
                    "params": {"type": "$by"},
                    "data_selector": "$$",
                    "paginator": {"type": "offset", "limit": 500, "total_path": None},
                },
                "rows": {"fields": WEBSITE_AND_DAY},
                "columns": {"date": {"data_type": "date"}},
            },
        },
        "resources": [
            {
                "name": "websites",
                "primary_key": "id",
                "endpoint": {
                    "path": "websites",
                    "params": {"includeTeams": "true", "pageSize": 100},
                    "data_selector": "data",
                    "paginator": PAGES,
                },
            },
            {
                "name": "events",
                "primary_key": "id",
                "endpoint": {
                    "path": "websites/{resources.websites.id}/events",
                    "params": {"pageSize": 1000},
                    "data_selector": "data",
                    "paginator": PAGES,
                },
            },
            {
                "name": "sessions",
                "primary_key": ["id", "date"],
                "endpoint": {
                    "path": "websites/{resources.websites.id}/sessions",
                    "params": {"pageSize": 1000},
                    "data_selector": "data",
                    "paginator": PAGES,
                },
                "rows": {"fields": DAY_OF_REQUEST},
                "columns": {"date": {"data_type": "date"}},
            },
            {
                "name": "stats",
                "primary_key": ["website_id", "date"],
                "endpoint": {
                    "path": "websites/{resources.websites.id}/stats",
                    "data_selector": "$",
                    "paginator": "single_page",
                },
                "rows": {"fields": WEBSITE_AND_DAY},
                "columns": {"date": {"data_type": "date"}},
                "processing_steps": [{"map": without_comparison}],
            },
            {"template": "breakdown", "name": "pages", "by": "path"},
            {"template": "breakdown", "name": "referrers", "by": "referrer"},
        ],
    },
    default_policy={
        "schedule": "0 5 * * *",
        "timezone": "UTC",
        "freshness": timedelta(hours=36),
        "time_formats": {"date": "epoch_milliseconds"},
        "load": NUMBERS,
    },
    policies={
        "websites": {
            "description": "Websites of the account and of its teams.",
            "load": Full(),
            "date_column": None,
            "time_formats": {},
        },
        "events": {
            "description": "Page views and custom events.",
            "load": BY_DAY,
            "date_column": "created_at",
            "time_formats": {},
        },
        "sessions": {"description": "Visitors' sessions, a row for each day of a session."},
        "stats": {"description": "Views, visitors, visits and bounces by website and day."},
        "pages": {"description": "Views and visitors by day and page."},
        "referrers": {"description": "Views and visitors by day and referrer."},
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
