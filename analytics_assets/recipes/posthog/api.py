"""PostHog, as data: events, sessions and counts by day, persons, and definitions (README.md).

`base_url` names the region and the project: `https://eu.posthog.com/api/projects/12345`.
"""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
import dlt

from analytics_assets import Api, Partitioned, Window, build_definitions

# days of UTC; a query may take 10 seconds, so the days of one are few
BY_DAY = Partitioned(
    start=date(2026, 1, 1),
    lookback=3,
    longest_window=7,
    window=Window(
        start_param="json.query.values.start",
        end_param="json.query.values.end",
        format="%Y-%m-%dT%H:%M:%SZ",
        end_is_inclusive=False,
    ),
)

EVENTS = """
SELECT toString(uuid) AS event_id, toDate(toTimeZone(timestamp, 'UTC')) AS date, timestamp, event,
    distinct_id, toString(person_id) AS person_id, $session_id AS session_id, properties
FROM events
WHERE timestamp >= toDateTime({{start}}) AND timestamp < toDateTime({{end}})
    AND toString(uuid) > {{after}}
ORDER BY event_id
LIMIT 1 BY uuid
LIMIT 10000
"""

EVENT_COUNTS = """
SELECT concat(toString(toDate(toTimeZone(timestamp, 'UTC'))), ' ', event) AS id,
    toDate(toTimeZone(timestamp, 'UTC')) AS date, event,
    count(DISTINCT uuid) AS events, count(DISTINCT person_id) AS persons
FROM events
WHERE timestamp >= toDateTime({{start}}) AND timestamp < toDateTime({{end}})
GROUP BY id, date, event
HAVING id > {{after}}
ORDER BY id
LIMIT 10000
"""

SESSIONS = """
SELECT session_id, toDate(toTimeZone($start_timestamp, 'UTC')) AS date,
    $start_timestamp AS started_at, $end_timestamp AS ended_at, distinct_id,
    $session_duration AS seconds, $pageview_count AS pageviews, $is_bounce AS is_bounce,
    $channel_type AS channel, $entry_referring_domain AS referring_domain,
    $entry_utm_source AS utm_source, $entry_utm_medium AS utm_medium,
    $entry_utm_campaign AS utm_campaign, $entry_current_url AS entry_url,
    $end_current_url AS exit_url
FROM sessions
WHERE $start_timestamp >= toDateTime({{start}}) AND $start_timestamp < toDateTime({{end}})
    AND session_id > {{after}}
ORDER BY session_id
LIMIT 10000
"""

PERSONS = """
SELECT toString(id) AS person_id, created_at, is_identified, properties
FROM persons
WHERE toString(id) > {{after}}
ORDER BY person_id
LIMIT 10000
"""


def with_properties(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its properties, which HogQL gives as a text, as JSON."""
    return {**row, "properties": json.loads(row["properties"])}


API = Api(
    name="posthog",
    file=__file__,
    config={
        "client": {
            "base_url": dlt.config.value,
            "auth": {"type": "bearer", "token": dlt.secrets.value},
        },
        "resource_defaults": {"write_disposition": "merge", "max_table_nesting": 0},
        "templates": {
            # a HogQL query; its first column is the key, by which each page begins after the last
            # one: PostHog refuses OFFSET to personal API keys
            "query": {
                "endpoint": {
                    "path": "query/",
                    "method": "POST",
                    "json": {
                        "name": "analytics_assets $name",
                        "refresh": "force_blocking",  # else an answer may be an old one
                        "query": {
                            "kind": "HogQLQuery",
                            "query": "$sql",
                            "values": {"after": ""},
                        },
                    },
                    "data_selector": "results",
                    "paginator": {
                        "type": "cursor",
                        "cursor_path": "results[-1][0]",
                        "cursor_body_path": "query.values.after",
                    },
                },
                "rows": {"zip": [{"names": "columns", "values": "$$", "types": "types[*][1]"}]},
            },
            # a list of definitions
            "list": {
                "primary_key": "id",
                "endpoint": {
                    "path": "$name/",
                    "data_selector": "results",
                    "paginator": {"type": "offset", "limit": 100, "total_path": "count"},
                },
            },
        },
        "resources": [
            {
                "template": "query",
                "name": "events",
                "primary_key": "event_id",
                "columns": {"properties": {"data_type": "json"}},
                "processing_steps": [{"map": with_properties}],
                "sql": EVENTS,
            },
            {
                "template": "query",
                "name": "event_counts",
                "primary_key": "id",
                "sql": EVENT_COUNTS,
            },
            {
                "template": "query",
                "name": "sessions",
                "primary_key": "session_id",
                "sql": SESSIONS,
            },
            {
                "template": "query",
                "name": "persons",
                "primary_key": "person_id",
                "columns": {"properties": {"data_type": "json"}},
                "processing_steps": [{"map": with_properties}],
                "sql": PERSONS,
            },
            {"template": "list", "name": "cohorts"},
            {"template": "list", "name": "feature_flags"},
            {"template": "list", "name": "annotations"},
        ],
    },
    default_policy={
        "schedule": "0 5 * * *",
        "timezone": "UTC",
        "freshness": timedelta(hours=36),
        "date_column": None,
    },
    policies={
        "events": {
            "description": "All events, with their properties.",
            "load": BY_DAY,
            "date_column": "date",
        },
        "event_counts": {
            "description": "Events and persons by day and event.",
            "load": BY_DAY,
            "date_column": "date",
        },
        "sessions": {
            "description": "Sessions by the day on which they began, with their channel.",
            "load": BY_DAY,
            "date_column": "date",
        },
        "persons": {"description": "Persons, with their properties."},
        "cohorts": {"description": "Definitions of cohorts."},
        "feature_flags": {"description": "Definitions of feature flags."},
        "annotations": {"description": "Notes on charts."},
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
