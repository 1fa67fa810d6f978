"""The JSON schemas of the rows, field by field."""

from typing import Any

_Schema = dict[str, Any]


def _text(description: str) -> _Schema:
    return {"type": "string", "description": description}


def _count(description: str) -> _Schema:
    return {"type": "integer", "minimum": 0, "description": description}


def _row(description: str, fields: dict[str, _Schema]) -> _Schema:
    common: dict[str, _Schema] = {
        "id": _text("Identifies the row. It stays the same when the row is restated."),
        "analytics_id": _text("The analytics property that the row belongs to."),
        "date": {"type": "string", "format": "date", "description": "The day that is counted."},
    }
    changed: dict[str, _Schema] = {
        "updated_at": {
            "type": "string",
            "format": "date-time",
            "description": "When the row was last changed, in UTC.",
        }
    }
    properties = common | fields | changed
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


# By resource: the name of its row's schema, and the schema.
ROW_SCHEMAS: dict[str, tuple[str, _Schema]] = {
    "page_views": (
        "PageViews",
        _row(
            "How often one page was viewed on one day. Never restated.",
            {
                "page": _text("The page's title."),
                "project": _text("The site that the page is on, such as en.wikipedia.org."),
                "access": _text("How readers reached the page, such as mobile-web."),
                "agent": _text("Which readers are counted, such as all-agents."),
                "page_views": _count("Views of the page on that day."),
            },
        ),
    ),
    "website_overview": (
        "WebsiteOverview",
        _row(
            "One property on one day. Restated for three days.",
            {
                "sessions": _count("Sessions started on that day."),
                "page_views": _count("Pages viewed on that day."),
                "new_users": _count("Users seen for the first time."),
                "bounce_rate": {
                    "type": ["number", "null"],
                    "minimum": 0,
                    "maximum": 1,
                    "description": "Share of sessions with one page only; null without sessions.",
                },
                "avg_session_seconds": {
                    "type": "number",
                    "minimum": 0,
                    "description": "Mean length of a session in seconds; 0 without sessions.",
                },
            },
        ),
    ),
    "daily_active_users": (
        "DailyActiveUsers",
        _row(
            "The active users of one segment on one day. Restated for three days.",
            {
                "user_key": _text("The user segment, as a hash."),
                "device": _text("The device that most of them used."),
                "active_users": _count("Users with at least one session."),
                "new_users": _count("Those of them seen for the first time."),
            },
        ),
    ),
    "traffic_sources": (
        "TrafficSources",
        _row(
            "The sessions from one source and medium on one day. Restated for three days.",
            {
                "source": _text("Where visitors came from, such as google."),
                "medium": _text("The kind of source, such as organic."),
                "country": _text("The country that most of them came from, ISO 3166-1 alpha-2."),
                "device": _text("The device that most of them used."),
                "sessions": _count("Sessions started on that day."),
                "new_users": _count("Users seen for the first time."),
            },
        ),
    ),
}
