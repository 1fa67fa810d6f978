"""The analytics API, as data. To add a resource, add an entry to `resources`: nothing else.

`config` is dlt's REST configuration, word for word
(https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic), with OAuth2 on top.
What `client` and its `auth` hold as `dlt.config.value` or `dlt.secrets.value` is a setting, looked
up in each run.
"""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import dlt

from analytics_assets import Api, Incremental, Partitioned, build_definitions

# the API has data from this day on, and restates the last three days
BY_DAY = Partitioned(by="day", start=date(2025, 7, 2), lookback=3, longest_window=92)

API = Api(
    name="analytics",
    file=__file__,
    openapi=str(Path(__file__).with_name("openapi.json")),
    config={
        "client": {
            "base_url": dlt.config.value,
            "auth": {
                "type": "oauth2",
                "client_id": dlt.secrets.value,
                "client_secret": dlt.secrets.value,
                "token_url": dlt.config.value,
            },
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
        },
        "resources": [
            {
                "name": "website_overview",
                "endpoint": {
                    "path": "/v1/website_overview",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            {
                "name": "daily_active_users",
                "endpoint": {
                    "path": "/v1/daily_active_users",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            {
                "name": "traffic_sources",
                "endpoint": {
                    "path": "/v1/traffic_sources",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
            {
                "name": "page_views",
                "endpoint": {
                    "path": "/v1/page_views",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100},
                },
            },
        ],
    },
    default_policy={
        "schedule": "0 6 * * *",
        "timezone": "UTC",
        "freshness": timedelta(hours=36),
        "max_runtime": timedelta(hours=12),
        "owners": ["team:analytics"],
        "newest": {"params": {"sort": "-updated_at", "limit": 1}, "field": "updated_at"},
    },
    policies={
        "website_overview": {
            "description": "Sessions and visitors per property and day.",
            "load": BY_DAY,
        },
        "daily_active_users": {
            "description": "Active and new users per segment and day.",
            "load": Incremental(
                param="updated_since",
                field="updated_at",
                initial_value="2025-01-01T00:00:00Z",
                lookback=timedelta(days=3),
            ),
        },
        "traffic_sources": {
            "description": "Sessions per source, medium and day.",
            "load": BY_DAY,
        },
        "page_views": {
            "description": "Views per page and day.",
            "schedule": "30 6 * * *",
            "tags": {"domain": "content"},
        },
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
