"""PostHog's private API of one project: HogQL queries, and lists of definitions.

- https://posthog.com/docs/api (keys, lists, limits, errors)
- https://posthog.com/docs/api/queries (queries, their `refresh`, LIMIT)
- https://github.com/PostHog/posthog/blob/master/posthog/hogql/user_query_validator.py (OFFSET)

The text of a query runs as it is, on DuckDB in place of ClickHouse.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import duckdb

from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table, VendorServer
from analytics_assets_tests.recipes.servers.posthog.rows import (
    NAMES_OF_SESSIONS,
    TABLES,
    annotation,
    cohort,
    event,
    feature_flag,
    person,
    session,
)

KEY = "phx_thekeyofaperson"
PROJECT = "/api/projects/12345/"
MOST_ROWS = 3  # of the answer to a query, though PostHog would give up to 50,000
WITHOUT_LIMIT = 100  # rows of a query that states no LIMIT
FUNCTIONS = """
    SET timezone = 'UTC';
    CREATE MACRO toDate(x) AS CAST(x AS DATE);
    CREATE MACRO toDateTime(x) AS CAST(x AS TIMESTAMPTZ);
    CREATE MACRO toTimeZone(x, zone) AS x;
    CREATE MACRO toString(x) AS CAST(x AS VARCHAR);
"""
TYPES = {
    "VARCHAR": "String",
    "DATE": "Date",
    "TIMESTAMP WITH TIME ZONE": "DateTime64(6, 'UTC')",
    "BIGINT": "UInt64",
    "BOOLEAN": "Nullable(UInt8)",
}


class PostHogServer(VendorServer):
    """A project of PostHog, for a personal API key."""

    resources: ClassVar[Mapping[str, Table]] = {
        "events": Table(key=("event_id",), day="date"),
        "event_counts": Table(day="date"),
        "sessions": Table(key=("session_id",), day="date"),
        "persons": Table(key=("person_id",)),
        "cohorts": Table(),
        "feature_flags": Table(is_alike=True),
        "annotations": Table(is_alike=True),
    }

    def __init__(self) -> None:
        super().__init__()
        self.events = [event(day, number) for day in DAYS for number in range(4)]
        self.sessions = [session(day, number) for day in DAYS for number in range(2)]
        self.persons = [person(number) for number in range(5)]
        self.lists: dict[str, list[Row]] = {
            "cohorts": [cohort(number) for number in range(1, 104)],
            "feature_flags": [feature_flag(number) for number in range(1, 4)],
            "annotations": [annotation(number) for number in range(1, 3)],
        }

    def settings(self) -> dict[str, str]:
        return {"BASE_URL": f"{self.url}{PROJECT}".rstrip("/"), "TOKEN": KEY}

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "authentication_error", "invalid_personal_api_key", "Invalid key.")
        name = request.path.removeprefix(PROJECT)
        if name == "query/" and request.method == "POST":
            return self._query(request.body)
        listed = self.lists.get(name.rstrip("/"))
        if listed is None or request.method != "GET":
            return _error(404, "invalid_request", "not_found", "Endpoint not found.")
        return self._page(request, listed)

    def quota_answer(self) -> Answer:
        text = "Request was throttled. Expected available in 0 seconds."
        return _error(429, "throttled_error", "throttled", text, {"Retry-After": "0"})

    def expected(self, resource: str) -> list[Row]:
        if resource == "events":
            return [
                {
                    "event_id": each["uuid"],
                    "date": each["timestamp"][:10],
                    "timestamp": datetime.fromisoformat(each["timestamp"]),
                    "event": each["event"],
                    "distinct_id": each["distinct_id"],
                    "person_id": each["person_id"],
                    "session_id": each["$session_id"],
                    "properties": json.loads(each["properties"]),
                }
                for each in self.events
            ]
        if resource == "event_counts":
            return _counts(self.events)
        if resource == "sessions":
            return [
                {
                    "date": each["$start_timestamp"][:10],
                    **{NAMES_OF_SESSIONS.get(name, name): each[name] for name in each},
                    "started_at": datetime.fromisoformat(each["$start_timestamp"]),
                    "ended_at": datetime.fromisoformat(each["$end_timestamp"]),
                    "is_bounce": int(each["$is_bounce"]),
                }
                for each in self.sessions
            ]
        if resource == "persons":
            return [
                {
                    "person_id": each["id"],
                    "created_at": datetime.fromisoformat(each["created_at"]),
                    "is_identified": each["is_identified"],
                    "properties": json.loads(each["properties"]),
                }
                for each in self.persons
            ]
        times = ("created_at", "updated_at", "last_calculation", "date_marker")
        return [
            {
                name: datetime.fromisoformat(value) if name in times and value else value
                for name, value in row.items()
            }
            for row in self.lists[resource]
        ]

    def restate(self, day: str) -> None:
        for each in self.events:
            if each["timestamp"].startswith(day):
                each["properties"] = json.dumps({"merged": True})
        self.events.append(event(day, 9))
        for each in self.sessions:
            if each["$start_timestamp"].startswith(day):
                each["$pageview_count"] += 1
        self.sessions.append(session(day, 9))

    def _query(self, body: Any) -> Answer:
        query = body["query"]
        if query["kind"] != "HogQLQuery" or body.get("refresh") != "force_blocking":
            return _error(400, "validation_error", "invalid_input", "a fresh HogQL query, please")
        sql = query["query"]
        if re.search(r"\bOFFSET\b", sql, re.IGNORECASE):
            text = "OFFSET is not supported on queries made with a personal API key."
            return _error(400, "validation_error", "hogql_error", text)
        columns, types, rows = self._rows(sql, query.get("values") or {})
        limit = re.search(r"\bLIMIT (\d+)\s*$", sql)
        most = min(int(limit[1]), MOST_ROWS) if limit else WITHOUT_LIMIT
        paging = dict.fromkeys(("hasMore", "limit", "offset"))  # of those without LIMIT
        return Answer(
            {
                "columns": columns,
                "types": [list(each) for each in zip(columns, types, strict=True)],
                "results": rows[:most],
                "error": None,
                "is_cached": False,
                **paging,
            }
        )

    def _rows(
        self, sql: str, values: Mapping[str, str]
    ) -> tuple[list[str], list[str], list[list[Any]]]:
        """Run a query on DuckDB; `LIMIT 1 BY` is ClickHouse's."""
        sql = re.sub(r"(?<!')\$(\w+)", r'"$\1"', sql)
        sql = re.sub(r"\{(\w+)\}", lambda found: f"'{values[found[1]]}'", sql)
        if (one := "LIMIT 1 BY uuid") in sql:
            sql = f"SELECT DISTINCT ON (event_id) * FROM ({sql.replace(one, '')}) ORDER BY 1"
        with duckdb.connect() as database:
            database.execute(FUNCTIONS)
            for name, columns in TABLES.items():
                described = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
                database.execute(f"CREATE TABLE {name} ({described})")
                rows = [list(row.values()) for row in getattr(self, name)]
                rows += rows[:1] if name == "events" else []  # ClickHouse merges them later
                places = ", ".join("?" for _ in columns)
                database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
            found = database.execute(sql)
            named = found.description or []
            rows = [[_cell(cell) for cell in row] for row in found.fetchall()]
        return [each[0] for each in named], [TYPES[str(each[1])] for each in named], rows

    def _page(self, request: Request, rows: list[Row]) -> Answer:
        limit, offset = request.number("limit", 100), request.number("offset")
        url = f"{self.url}{request.path}?limit={limit}&offset="
        body = {
            "count": len(rows),
            "next": f"{url}{offset + limit}" if offset + limit < len(rows) else None,
            "previous": f"{url}{max(offset - limit, 0)}" if offset else None,
            "results": rows[offset : offset + limit],
        }
        return Answer(body)


def _error(
    status: int, kind: str, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> Answer:
    body = {"type": kind, "code": code, "detail": detail, "attr": None}
    return Answer(body, status, headers or {})


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value if value is None or isinstance(value, int | str) else str(value)


def _counts(events: list[Row]) -> list[Row]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for each in events:
        groups.setdefault((each["timestamp"][:10], each["event"]), []).append(each)
    return [
        {
            "id": f"{day} {event}",
            "date": day,
            "event": event,
            "events": len(group),
            "persons": len({each["person_id"] for each in group}),
        }
        for (day, event), group in groups.items()
    ]
