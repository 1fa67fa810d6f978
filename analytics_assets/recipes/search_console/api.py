"""Searches that lead to your sites, by days, from Google Search Console.

To add a report, add an entry to `resources`. Dimensions, filters and search types:
https://developers.google.com/webmaster-tools/v1/searchanalytics/query
Credentials and limits: analytics_assets/recipes/search_console/README.md
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
import dlt

from analytics_assets import Api, Full, Partitioned, Window, build_definitions

TIMEZONE = "America/Los_Angeles"  # the days of Search Console
BY_DAY = Partitioned(
    by="day",
    start=date(2026, 1, 1),  # the first day to load; Google keeps 16 months
    lookback=5,  # a day is final, and has rows, two to three days after it:
    max_drop=1.0,  # until then, its few rows are no finding of the check `partition_rows`
    longest_window=31,
    longest_request=1,  # a day, as Google recommends: more of its rows, and less load
    window=Window(start_param="json.startDate", end_param="json.endDate", timezone=TIMEZONE),
    timezone=TIMEZONE,
)


def is_verified(site: Mapping[str, Any]) -> bool:
    """Leave out sites whose searches the account may not read. Name yours here to load no other."""
    return bool(site["permissionLevel"] != "siteUnverifiedUser")


API = Api(
    name="search_console",
    file=__file__,
    openapi_path=None,
    config={
        "client": {
            "base_url": "https://www.googleapis.com/webmasters/v3",
            "auth": {  # a service account, or a refresh token, as the settings have it
                "type": "oauth2",
                "client_id": dlt.secrets.value,
                "token_url": "https://oauth2.googleapis.com/token",
                "scope": "https://www.googleapis.com/auth/webmasters.readonly",
            },
        },
        "resource_defaults": {"write_disposition": "merge"},
        "templates": {
            "report": {
                "primary_key": ["site_url", "$dimensions"],
                "columns": {
                    "date": {"data_type": "date"},
                    "clicks": {"data_type": "bigint"},
                    "impressions": {"data_type": "bigint"},
                    "ctr": {"data_type": "double"},
                    "position": {"data_type": "double"},
                },
                "endpoint": {
                    "path": "/sites/{resources.sites.siteUrl}/searchAnalytics/query",
                    "method": "POST",
                    "json": {"dimensions": "$dimensions", "type": "web", "dataState": "final"},
                    "data_selector": "rows",
                    "paginator": {
                        "type": "offset",
                        "limit": 25_000,
                        "offset_param": "json.startRow",
                        "limit_param": "json.rowLimit",
                        "total_path": None,  # the end is a page without rows
                    },
                },
                "rows": {
                    "zip": [{"names": ["$dimensions"], "values": "keys"}],
                    "fields": {"site_url": {"path": 2}},
                },
            },
        },
        "resources": [
            {
                "name": "sites",
                "primary_key": "siteUrl",
                "endpoint": {
                    "path": "/sites",
                    "data_selector": "siteEntry",
                    "paginator": "single_page",
                },
                "processing_steps": [{"filter": is_verified}],
            },
            {"template": "report", "name": "days", "dimensions": ["date"]},
            {"template": "report", "name": "queries", "dimensions": ["date", "query"]},
            {"template": "report", "name": "pages", "dimensions": ["date", "page"]},
            {
                "template": "report",
                "name": "countries_and_devices",
                "dimensions": ["date", "country", "device"],
            },
        ],
    },
    default_policy={
        "load": BY_DAY,
        "schedule": "0 12 * * *",
        "freshness": timedelta(days=5),
        "empty": "absent",  # of days without searches, and behind the last page
    },
    policies={"sites": {"load": Full(), "date_column": None}},
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
