"""Reports of a site in Matomo, by days. To add one, add an entry to `resources`.

Methods: https://developer.matomo.org/api-reference/reporting-api#api-method-list
Credentials and limits: analytics_assets/recipes/matomo/README.md
"""

from datetime import date

import dagster as dg
import dlt

from analytics_assets import Api, Partitioned, Window, build_definitions

TIMEZONE = "UTC"  # that of the site, such as "Europe/Berlin"
BY_DAY = Partitioned(
    by="day",
    start=date(2026, 1, 1),  # the first day to load
    lookback=3,
    longest_window=31,
    # with a span of days, Matomo answers with an object whose keys are the days
    window=Window(params={"data.date": "{start},{end}", "data.period": "day"}, timezone=TIMEZONE),
    timezone=TIMEZONE,
)

API = Api(
    name="matomo",
    file=__file__,
    openapi_path=None,
    config={
        "client": {"base_url": dlt.config.value},
        "resource_defaults": {"write_disposition": "merge"},
        "templates": {
            "report": {
                "primary_key": ["site_id", "date", "$by"],
                "columns": {"date": {"data_type": "date"}, "bounce_rate": {"data_type": "double"}},
                "endpoint": {
                    "path": "/index.php",
                    "method": "POST",
                    "data": {
                        "module": "API",
                        "method": "$method",
                        "idSite": dlt.config.value,
                        "format": "JSON",
                        "format_metrics": 0,  # 0.45 in place of "45%"
                        "filter_limit": -1,  # all rows of a day
                        "hideIdSubDatable": 1,
                        "language": "en",  # of labels, which are keys
                        "token_auth": dlt.secrets.value,
                    },
                    "data_selector": "$",
                    "paginator": "single_page",
                },
                "rows": {
                    "entries": {"key": "date"},
                    "fields": {"site_id": {"param": "data.idSite"}},
                },
            },
        },
        "resources": [
            {"template": "report", "name": "visits", "method": "VisitsSummary.get", "by": []},
            {
                "template": "report",
                "name": "pages",
                "method": "Actions.getPageUrls",
                "by": "label",
                "endpoint": {"params": {"flat": 1}},  # pages, in place of folders
            },
            {
                "template": "report",
                "name": "channels",
                "method": "Referrers.getReferrerType",
                "by": "label",
            },
            {
                "template": "report",
                "name": "referrer_websites",
                "method": "Referrers.getWebsites",
                "by": "label",
            },
            {
                "template": "report",
                "name": "countries",
                "method": "UserCountry.getCountry",
                "by": "label",
            },
            {
                "template": "report",
                "name": "devices",
                "method": "DevicesDetection.getType",
                "by": "label",
            },
            {"template": "report", "name": "events", "method": "Events.getName", "by": "label"},
        ],
    },
    default_policy={"load": BY_DAY, "schedule": "0 6 * * *"},
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
