"""The content of the project: its tables for queries, and its definitions."""

import json

from analytics_assets_tests.recipes.server import Row

TABLES = {
    "events": {
        "uuid": "UUID",
        "event": "VARCHAR",
        "timestamp": "TIMESTAMPTZ",
        "distinct_id": "VARCHAR",
        "person_id": "UUID",
        "$session_id": "VARCHAR",
        "properties": "VARCHAR",
    },
    "sessions": {
        "session_id": "VARCHAR",
        "distinct_id": "VARCHAR",
        "$start_timestamp": "TIMESTAMPTZ",
        "$end_timestamp": "TIMESTAMPTZ",
        "$session_duration": "BIGINT",
        "$pageview_count": "BIGINT",
        "$is_bounce": "BOOLEAN",
        "$channel_type": "VARCHAR",
        "$entry_referring_domain": "VARCHAR",
        "$entry_utm_source": "VARCHAR",
        "$entry_utm_medium": "VARCHAR",
        "$entry_utm_campaign": "VARCHAR",
        "$entry_current_url": "VARCHAR",
        "$end_current_url": "VARCHAR",
    },
    "persons": {
        "id": "UUID",
        "created_at": "TIMESTAMPTZ",
        "is_identified": "BIGINT",
        "properties": "VARCHAR",
    },
}
NAMES_OF_SESSIONS = {
    "$start_timestamp": "started_at",
    "$end_timestamp": "ended_at",
    "$session_duration": "seconds",
    "$pageview_count": "pageviews",
    "$is_bounce": "is_bounce",
    "$channel_type": "channel",
    "$entry_referring_domain": "referring_domain",
    "$entry_utm_source": "utm_source",
    "$entry_utm_medium": "utm_medium",
    "$entry_utm_campaign": "utm_campaign",
    "$entry_current_url": "entry_url",
    "$end_current_url": "exit_url",
}


def event(day: str, number: int) -> Row:
    # the first is at midnight, which belongs to its day alone
    moment = f"{day}T{number * 2:02}:00:00{'.123456' if number else ''}+00:00"
    return {
        "uuid": f"0{number}94d2c0-{day[-2:]}a1-7c3e-8f00-0000000000{number:02}",
        "event": "$pageview" if number % 2 else "sign up",
        "timestamp": moment,
        "distinct_id": f"visitor-{number % 3}@example.com",
        "person_id": f"0000000{number % 3}-0000-4000-8000-000000000000",
        "$session_id": f"s-{day}-{number % 2}",
        "properties": json.dumps({"$current_url": f"https://a.b/{number}?é", "price": 1.5}),
    }


def session(day: str, number: int) -> Row:
    url = "https://a.b/"
    values = [
        *(f"s-{day}-{number}", f"visitor-{number}@example.com"),
        *(f"{day}T0{number}:00:00+00:00", f"{day}T0{number}:10:00+00:00"),
        *(600, number, number == 1, "Organic Search", "www.google.com"),
        *("newsletter" if number else None, None, None, f"{url}{number}", f"{url}bye"),
    ]
    return dict(zip(TABLES["sessions"], values, strict=True))


def person(number: int) -> Row:
    return {
        "id": f"0000000{number}-0000-4000-8000-000000000000",
        "created_at": f"2025-12-0{number + 1}T08:00:00+00:00",
        "is_identified": number % 2,
        "properties": json.dumps({"email": f"{number}@example.com", "plan": None}),
    }


def cohort(number: int) -> Row:
    return {
        "id": number,
        "name": f"Cohort {number}",
        "description": "",
        "groups": [],
        "filters": {"properties": {"type": "OR", "values": []}},
        "deleted": False,
        "is_calculating": False,
        "is_static": number % 2 == 0,
        "created_by": {"id": 7, "uuid": "u-7", "email": "me@example.com"},
        "created_at": "2026-01-02T10:00:00.654321Z",
        "last_calculation": "2026-01-03T10:00:00Z" if number % 2 else None,
        "count": number * 10,
    }


def feature_flag(number: int) -> Row:
    return {
        "id": number,
        "key": f"flag-{number}",
        "name": "",
        "filters": {"groups": [{"properties": [], "rollout_percentage": 50}]},
        "active": number != 2,
        "deleted": False,
        "created_at": "2026-01-02T10:00:00Z",
        "version": number,
        "tags": ["web"],
    }


def annotation(number: int) -> Row:
    return {
        "id": number,
        "content": "Release, with a “quote”",
        "date_marker": "2026-01-02T00:00:00Z",
        "creation_type": "USR",
        "dashboard_item": None,
        "created_by": {"id": 7, "uuid": "u-7", "email": "me@example.com"},
        "created_at": "2026-01-02T10:00:00.654321Z",
        "updated_at": "2026-01-02T10:00:00.654321Z",
        "deleted": False,
        "scope": "project",
    }
