"""Reports of a Google Analytics 4 property, by days. To add one, add an entry to `resources`.

Dimensions and metrics: https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema
Credentials and limits: analytics_assets/recipes/google_analytics/README.md
"""

from datetime import date

import dagster as dg
import dlt

from analytics_assets import Api, Partitioned, Window, build_definitions

TIMEZONE = "UTC"  # that of the property, such as "Europe/Berlin"
BY_DAY = Partitioned(
    by="day",
    start=date(2026, 1, 1),  # the first day to load
    lookback=3,  # Google takes up to 48 hours to process a day
    longest_window=31,
    window=Window(
        start_param="json.dateRanges[0].startDate",
        end_param="json.dateRanges[0].endDate",
        timezone=TIMEZONE,
    ),
    timezone=TIMEZONE,
)

API = Api(
    name="google_analytics",
    file=__file__,
    openapi_path=None,
    config={
        "client": {
            "base_url": "https://analyticsdata.googleapis.com",
            "auth": {  # a service account, or a refresh token, as the settings have it
                "type": "oauth2",
                "client_id": dlt.secrets.value,
                "token_url": "https://oauth2.googleapis.com/token",
                "scope": "https://www.googleapis.com/auth/analytics.readonly",
            },
        },
        "resource_defaults": {"write_disposition": "merge"},
        "templates": {
            "report": {
                "primary_key": ["property_id", "$dimensions"],
                "endpoint": {
                    "path": "/v1beta/properties/{property_id}:runReport",
                    "method": "POST",
                    "params": {"property_id": dlt.config.value},
                    "json": {
                        "dimensions": [{"name": "$dimensions"}],
                        "metrics": [{"name": "$metrics"}],
                        # without an order, a row may be on two pages
                        "orderBys": [{"dimension": {"dimensionName": "$dimensions"}}],
                    },
                    "data_selector": "rows",
                    "paginator": {
                        "type": "offset",
                        "limit": 100_000,  # at most 250,000
                        "offset_param": "json.offset",
                        "limit_param": "json.limit",
                        "total_path": "rowCount",
                    },
                },
                "rows": {
                    "zip": [
                        {
                            "names": "dimensionHeaders[*].name",
                            "values": "dimensionValues[*].value",
                        },
                        {
                            "names": "metricHeaders[*].name",
                            "values": "metricValues[*].value",
                            "types": "metricHeaders[*].type",
                        },
                    ],
                    "fields": {
                        "property_id": dlt.config.value,
                        "currency": {"body": "metadata.currencyCode"},
                    },
                },
                "answer_quality": {
                    "sampled": "metadata.samplingMetadatas",
                    "thresholded": "metadata.subjectToThresholding",
                    "other_rows": "metadata.dataLossFromOtherRow",
                    "truncated": "metadata.dataTruncationReasons",
                },
            },
        },
        "resources": [
            {
                "template": "report",
                "name": "traffic",
                "dimensions": [
                    "date",
                    "sessionDefaultChannelGroup",
                    "sessionSource",
                    "sessionMedium",
                ],
                "metrics": [
                    "sessions",
                    "engagedSessions",
                    "totalUsers",
                    "newUsers",
                    "keyEvents",
                    "totalRevenue",
                ],
            },
            {
                "template": "report",
                "name": "pages",
                "dimensions": ["date", "pagePath"],
                "metrics": ["screenPageViews", "totalUsers", "userEngagementDuration"],
            },
            {
                "template": "report",
                "name": "events",
                "dimensions": ["date", "eventName"],
                "metrics": ["eventCount", "totalUsers"],
            },
            {
                "template": "report",
                "name": "key_events",
                "dimensions": ["date", "eventName", "sessionDefaultChannelGroup"],
                "metrics": ["keyEvents", "totalUsers", "totalRevenue"],
                "endpoint": {
                    "json": {
                        "dimensionFilter": {
                            "filter": {
                                "fieldName": "isKeyEvent",
                                "stringFilter": {"value": "true"},
                            }
                        }
                    }
                },
            },
            {
                "template": "report",
                "name": "countries",
                "dimensions": ["date", "countryId", "country"],
                "metrics": ["sessions", "engagedSessions", "totalUsers", "keyEvents"],
            },
            {
                "template": "report",
                "name": "devices",
                "dimensions": ["date", "deviceCategory"],
                "metrics": ["sessions", "engagedSessions", "totalUsers", "keyEvents"],
            },
        ],
    },
    default_policy={
        "load": BY_DAY,
        "schedule": "0 6 * * *",
        "time_formats": {"date": "%Y%m%d"},
        "empty": "absent",  # of a day without visits, the answer has no `rows`
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
