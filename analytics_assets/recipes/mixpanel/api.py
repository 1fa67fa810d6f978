"""Mixpanel, as data: raw events, counts by day, profiles and cohorts (README.md)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import dlt
from dlt.sources.helpers.requests import Request, Response
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from analytics_assets import Api, Full, Partitioned, Window, build_definitions

# in the EU eu.mixpanel.com and data-eu.mixpanel.com, in India in. and data-in.mixpanel.com
QUERY_HOST = "https://mixpanel.com"
EXPORT_HOST = "https://data.mixpanel.com"

# of the counts: events by their names in Mixpanel
EVENTS = '["Page View", "Sign Up"]'

START = date(2026, 1, 1)
WINDOW = Window(start_param="from_date", end_param="to_date")


class SessionPages(BasePaginator):
    """Pages of profiles: each request names the session that the first answer has opened."""

    def update_state(self, response: Response, data: Sequence[Any] | None = None) -> None:
        """A page with fewer rows than its `page_size` is the last one."""
        body = response.json()
        self._page, self._session = body["page"] + 1, body["session_id"]
        self._has_next_page = len(data or ()) >= body["page_size"]

    def update_request(self, request: Request) -> None:
        """Ask for the next page of the session."""
        request.data = {"page": self._page, "session_id": self._session}


def event_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of an exported event, with the parts of its key.

    Mixpanel exports duplicates, which are the same in these four fields:
    https://docs.mixpanel.com/reference/raw-data-export-api
    """
    properties = line["properties"]
    time = datetime.fromtimestamp(properties["time"], UTC)
    return {
        "event": line["event"],
        "distinct_id": str(properties.get("distinct_id", "")),
        "time": time,
        "insert_id": properties.get("$insert_id", ""),
        "date": time.date(),
        "properties": properties,
    }


API = Api(
    name="mixpanel",
    file=__file__,
    config={
        "client": {
            "base_url": f"{QUERY_HOST}/api/query/",
            "auth": {  # a service account
                "type": "http_basic",
                "username": dlt.secrets.value,
                "password": dlt.secrets.value,
            },
        },
        "resource_defaults": {
            "write_disposition": "merge",
            "max_table_nesting": 0,
            "endpoint": {
                "params": {"project_id": dlt.config.value},
                "data_selector": "$",
                "paginator": "single_page",
            },
        },
        "templates": {
            "counts": {
                "primary_key": ["event", "date"],
                "endpoint": {
                    "path": "events",
                    "params": {"event": EVENTS, "type": "$type", "unit": "day"},
                    "data_selector": "data.values",
                },
                "rows": {"entries": {"key": ["event", "date"], "value": "$value"}},
                "columns": {"date": {"data_type": "date"}},
            },
            "breakdown": {
                "primary_key": ["$column", "date"],
                "merge_key": "date",  # a day is replaced as a whole
                "endpoint": {
                    "path": "segmentation",
                    "params": {"event": "$event", "on": "$by", "unit": "day", "limit": 10000},
                    "data_selector": "data.values",
                },
                "rows": {"entries": {"key": ["$column", "date"], "value": "events"}},
                "columns": {"date": {"data_type": "date"}},
            },
        },
        "resources": [
            {
                "name": "events",
                "primary_key": ["event", "distinct_id", "time", "insert_id"],
                "body_format": "jsonl",
                "endpoint": {"path": f"{EXPORT_HOST}/api/2.0/export"},
                "processing_steps": [{"map": event_of}],
                "columns": {"properties": {"data_type": "json"}},
            },
            {
                "template": "counts",
                "name": "event_counts",
                "type": "general",
                "value": "events",
            },
            {
                "template": "counts",
                "name": "event_users",
                "type": "unique",
                "value": "users",
            },
            {
                "template": "breakdown",
                "name": "sign_ups_by_country",
                "event": "Sign Up",
                "by": 'properties["mp_country_code"]',
                "column": "country",
            },
            {
                "name": "profiles",
                "primary_key": "$distinct_id",
                "endpoint": {
                    "path": "engage",
                    "method": "POST",
                    "data_selector": "results",
                    "paginator": SessionPages(),
                },
            },
            {
                "name": "cohorts",
                "primary_key": "id",
                "endpoint": {"path": "cohorts/list", "method": "POST"},
            },
        ],
    },
    default_policy={
        "schedule": "0 5 * * *",
        "timezone": "UTC",
        "freshness": timedelta(hours=36),
        "load": Partitioned(start=START, window=WINDOW, lookback=5, longest_window=31),
    },
    policies={
        "events": {"description": "All events, with their properties."},
        "event_counts": {"description": "Events by day and name."},
        "event_users": {"description": "Users by day and event."},
        "sign_ups_by_country": {"description": "Sign-ups by day and country."},
        "profiles": {
            "description": "Profiles of users.",
            "load": Full(),
            "date_column": None,
            "rename": {"$distinct_id": "distinct_id", "$properties": "properties"},
        },
        "cohorts": {"description": "Saved cohorts.", "load": Full(), "date_column": None},
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
