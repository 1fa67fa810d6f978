"""Pirsch, as data: the domains, and the statistics of each by day (README.md)."""

from datetime import date, timedelta
from typing import Any

import dagster as dg
import dlt

from analytics_assets import Api, Full, Partitioned, Window, build_definitions

START = date(2026, 1, 1)
WINDOW = Window(start_param="from", end_param="to")

# a row per day
SERIES = Partitioned(start=START, window=WINDOW, lookback=1, longest_window=92)
# a breakdown has no day of its own: one request per day
BREAKDOWN = Partitioned(
    start=START, window=WINDOW, lookback=1, longest_window=31, longest_request=1
)


def doubles(*columns: str) -> dict[str, Any]:
    """Return the types of columns whose whole numbers Pirsch writes without a point."""
    return {column: {"data_type": "double"} for column in columns}


API = Api(
    name="pirsch",
    file=__file__,
    config={
        "client": {
            "base_url": "https://api.pirsch.io/api/v1/",
            "auth": {
                "type": "oauth2",
                "token_url": "https://api.pirsch.io/api/v1/token",
                "client_id": dlt.secrets.value,
                "client_secret": dlt.secrets.value,
                "client_authentication": "json",
            },
        },
        "resource_defaults": {"write_disposition": "merge", "max_table_nesting": 0},
        "templates": {
            "breakdown": {
                "primary_key": ["domain_id", "date", "$by"],
                "merge_key": ["domain_id", "date"],  # a day is replaced as a whole
                "endpoint": {
                    "path": "statistics/$path",
                    "params": {"id": "{resources.domains.id}", "tz": "UTC"},
                    "data_selector": "$$",
                    "paginator": {"type": "offset", "limit": 100, "total_path": None},
                },
                "rows": {
                    "fields": {"domain_id": {"param": "id"}, "date": {"param": "from"}},
                },
                "columns": {"date": {"data_type": "date"}},
            },
        },
        "resources": [
            {
                "name": "domains",
                "primary_key": "id",
                "endpoint": {"path": "domain", "data_selector": "$", "paginator": "single_page"},
            },
            {
                "name": "visitors",
                "primary_key": ["domain_id", "day"],
                "endpoint": {
                    "path": "statistics/visitor",
                    "params": {"id": "{resources.domains.id}", "tz": "UTC", "scale": "day"},
                    "data_selector": "$",
                    "paginator": "single_page",
                },
                "rows": {"fields": {"domain_id": {"param": "id"}}},
                "columns": {
                    "day": {"data_type": "date"},
                    **doubles("bounce_rate", "cr", "custom_metric_avg", "custom_metric_total"),
                },
            },
            {
                "template": "breakdown",
                "name": "pages",
                "path": "page",
                "by": ["path", "title"],
                "endpoint": {"params": {"include_avg_time_on_page": "true"}},
                "columns": doubles("relative_visitors", "relative_views", "bounce_rate"),
            },
            {
                "template": "breakdown",
                "name": "referrers",
                "path": "referrer",
                "by": ["referrer", "referrer_name"],
                "columns": doubles("relative_visitors", "bounce_rate"),
            },
            {
                "template": "breakdown",
                "name": "countries",
                "path": "country",
                "by": ["country_code"],
                "columns": doubles("relative_visitors"),
            },
            {
                "template": "breakdown",
                "name": "events",
                "path": "events",
                "by": ["name"],
                "columns": doubles("cr"),
            },
        ],
    },
    default_policy={
        "schedule": "0 5 * * *",
        "timezone": "UTC",
        "freshness": timedelta(hours=36),
        "empty": "absent",  # Pirsch sends null for a list without elements
        "load": BREAKDOWN,
    },
    policies={
        "domains": {
            "description": "Dashboards that the client may read.",
            "load": Full(),
            "date_column": None,
        },
        "visitors": {
            "description": "Visitors, views, sessions and bounces by day.",
            "load": SERIES,
            "date_column": "day",
        },
        "pages": {"description": "Visitors and views by day and page."},
        "referrers": {"description": "Visitors by day and referrer."},
        "countries": {"description": "Visitors by day and country."},
        "events": {"description": "Events by day and name."},
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
