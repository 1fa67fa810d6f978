"""Reports of a site in Plausible, by days. To add one, add an entry to `resources`.

Dimensions and metrics: https://plausible.io/docs/stats-api
Credentials and limits: analytics_assets/recipes/plausible/README.md
"""

from datetime import date

import dagster as dg
import dlt

from analytics_assets import Api, Partitioned, Window, build_definitions

TIMEZONE = "UTC"  # that of the site's reports, such as "Europe/Berlin"
BY_DAY = Partitioned(
    by="day",
    start=date(2026, 1, 1),  # the first day to load
    lookback=3,
    longest_window=31,
    window=Window(
        start_param="json.date_range[0]", end_param="json.date_range[1]", timezone=TIMEZONE
    ),
    timezone=TIMEZONE,
)

API = Api(
    name="plausible",
    file=__file__,
    openapi_path=None,
    config={
        "client": {
            "base_url": "https://plausible.io",  # or that of your own server
            "auth": {"type": "bearer", "token": dlt.secrets.value},
        },
        "resource_defaults": {"write_disposition": "merge"},
        "templates": {
            "report": {
                "primary_key": ["site_id", "$dimensions"],
                "columns": {"time:day": {"data_type": "date"}},
                "endpoint": {
                    "path": "/api/v2/query",
                    "method": "POST",
                    "json": {
                        "site_id": dlt.config.value,
                        "metrics": "$metrics",
                        "dimensions": "$dimensions",
                        "order_by": "$order",  # without an order, a row may be on two pages
                        "include": {"total_rows": True},
                    },
                    "data_selector": "results",
                    "paginator": {
                        "type": "offset",
                        "limit": 10_000,
                        "offset_param": "json.pagination.offset",
                        "limit_param": "json.pagination.limit",
                        "total_path": "meta.total_rows",
                    },
                },
                "rows": {
                    "zip": [
                        {"names": ["$dimensions"], "values": "dimensions"},
                        {"names": ["$metrics"], "values": "metrics"},
                    ],
                    "fields": {"site_id": {"param": "json.site_id"}},
                },
            },
        },
        "resources": [
            {
                "template": "report",
                "name": "days",
                "dimensions": ["time:day"],
                "order": [["time:day", "asc"]],
                "metrics": [
                    "visitors",
                    "visits",
                    "pageviews",
                    "bounce_rate",
                    "visit_duration",
                    "views_per_visit",
                ],
            },
            {
                "template": "report",
                "name": "sources",
                "dimensions": ["time:day", "visit:channel", "visit:source"],
                "order": [["time:day", "asc"], ["visit:channel", "asc"], ["visit:source", "asc"]],
                "metrics": ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"],
            },
            {
                "template": "report",
                "name": "pages",
                "dimensions": ["time:day", "event:page"],
                "order": [["time:day", "asc"], ["event:page", "asc"]],
                "metrics": [
                    "visitors",
                    "visits",
                    "pageviews",
                    "bounce_rate",
                    "time_on_page",
                    "scroll_depth",
                ],
            },
            {
                "template": "report",
                "name": "countries",
                "dimensions": ["time:day", "visit:country", "visit:country_name"],
                "order": [
                    ["time:day", "asc"],
                    ["visit:country", "asc"],
                    ["visit:country_name", "asc"],
                ],
                "metrics": ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"],
            },
            {
                "template": "report",
                "name": "devices",
                "dimensions": ["time:day", "visit:device"],
                "order": [["time:day", "asc"], ["visit:device", "asc"]],
                "metrics": ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"],
            },
            {
                "template": "report",
                "name": "goals",
                "dimensions": ["time:day", "event:goal"],
                "order": [["time:day", "asc"], ["event:goal", "asc"]],
                "metrics": ["visitors", "events", "conversion_rate"],
            },
        ],
    },
    default_policy={"load": BY_DAY, "schedule": "0 6 * * *", "rename": {"time:day": "date"}},
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
