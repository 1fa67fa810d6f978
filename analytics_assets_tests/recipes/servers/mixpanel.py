"""Mixpanel's raw export and Query API of one project, for a service account.

- https://docs.mixpanel.com/reference/raw-event-export (JSON lines, inclusive dates)
- https://docs.mixpanel.com/reference/raw-data-export-api (duplicates)
- https://docs.mixpanel.com/reference/list-recent-events, .../segmentation-query (counts)
- https://docs.mixpanel.com/reference/engage-query (pages of a session)
- https://docs.mixpanel.com/reference/rate-limits
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from analytics_assets_tests.recipes.server import (
    DAYS,
    EMPTY_DAY,
    Answer,
    Request,
    Row,
    Table,
    VendorServer,
)

ACCOUNT = ("robot.a1b2c3.mp-service-account", "secret-of-the-robot")
PROJECT = "3187769"
PAGE_SIZE = 2  # profiles of a page, though Mixpanel gives 1,000
SESSION = "1234567890-EcDlT6"
NAMES = ("Page View", "Sign Up")


class MixpanelServer(VendorServer):
    """A project of Mixpanel; both of its hosts are this one."""

    hosts: ClassVar[Mapping[str, str]] = {
        "https://data.mixpanel.com": "",
        "https://mixpanel.com": "",
    }
    resources: ClassVar[Mapping[str, Table]] = {
        "events": Table(key=("event", "distinct_id", "time", "insert_id"), day="date"),
        "event_counts": Table(key=("event", "date"), day="date"),
        "event_users": Table(key=("event", "date"), day="date", is_alike=True),
        "sign_ups_by_country": Table(key=("country", "date"), day="date"),
        "profiles": Table(key=("distinct_id",)),
        "cohorts": Table(),
    }

    def __init__(self) -> None:
        super().__init__()
        self.events = [_event(day, number) for day in DAYS for number in range(5)]
        self.profiles = [_profile(number) for number in range(5)]

    def settings(self) -> dict[str, str]:
        return {
            "USERNAME": ACCOUNT[0],
            "PASSWORD": ACCOUNT[1],
            "PROJECT_ID": PROJECT,
            "RUNTIME__REQUEST_BACKOFF_FACTOR": "0",  # the quota's answer names no time
        }

    def answer(self, request: Request) -> Answer:
        account = b64encode(":".join(ACCOUNT).encode()).decode()
        if request.headers.get("authorization") != f"Basic {account}":
            return Answer({"error": "Invalid service account credentials", "status": "error"}, 401)
        if request.query.get("project_id") != PROJECT:
            text = "Unable to authenticate request: service account needs a project of its account"
            return Answer({"error": text, "status": "error"}, 400)
        answers = {
            ("GET", "/api/2.0/export"): self._export,
            ("GET", "/api/query/events"): self._counts,
            ("GET", "/api/query/segmentation"): self._segmentation,
            ("POST", "/api/query/engage"): self._profiles,
            ("POST", "/api/query/cohorts/list"): self._cohorts,
        }
        found = answers.get((request.method, request.path))
        return found(request) if found else Answer({"error": "not found"}, 404)

    def quota_answer(self) -> Answer:
        text = "Query rate limit exceeded for project, 60 queries per hour"
        return Answer({"error": text, "status": "error"}, 429)

    def expected(self, resource: str) -> list[Row]:
        if resource == "events":
            return [_row(event) for event in self.events]
        if resource == "profiles":
            return [
                {"distinct_id": each["$distinct_id"], "properties": each["$properties"]}
                for each in self.profiles
            ]
        if resource == "cohorts":
            times = {"created": datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)}
            return [{**each, **times} for each in COHORTS]
        days = {name: self._values(resource, name) for name in _values_of(resource)}
        column = "users" if resource == "event_users" else "events"
        first = "country" if resource == "sign_ups_by_country" else "event"
        return [
            {first: name, "date": day, column: value}
            for name, values in days.items()
            for day, value in values.items()
        ]

    def restate(self, day: str) -> None:
        for each in self.events:
            if _day(each) == day:
                each["properties"]["$city"] = "Bern"
        self.events.append(_event(day, 9))

    def _export(self, request: Request) -> Answer:
        days = _days(request)
        events = [each for each in self.events if _day(each) in days]
        # Mixpanel deduplicates in its reports, and not in an export
        lines = [json.dumps(each) for each in (*events, *events[:1])]
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return Answer("".join(f"{line}\n" for line in lines).encode(), headers=headers)

    def _counts(self, request: Request) -> Answer:
        resource = "event_users" if request.query["type"] == "unique" else "event_counts"
        names = json.loads(request.query["event"])
        return self._report(request, resource, names)

    def _segmentation(self, request: Request) -> Answer:
        assert request.query["on"] == 'properties["mp_country_code"]'
        assert request.query["event"] == "Sign Up"
        return self._report(request, "sign_ups_by_country", ["DE", "CH"])

    def _report(self, request: Request, resource: str, names: list[str]) -> Answer:
        days = _days(request)
        values = {name: self._values(resource, name, days) for name in names}
        return Answer({"data": {"series": days, "values": values}, "legend_size": len(names)})

    def _values(
        self, resource: str, name: str, days: Sequence[str] = (*DAYS, EMPTY_DAY)
    ) -> dict[str, int]:
        """Return the numbers of a report by day; a day without events has 0."""
        if resource == "sign_ups_by_country":
            chosen = [
                each
                for each in self.events
                if each["event"] == "Sign Up" and each["properties"]["mp_country_code"] == name
            ]
        else:
            chosen = [each for each in self.events if each["event"] == name]
        users = resource == "event_users"
        numbers = {}
        for day in days:
            found = [each["properties"]["distinct_id"] for each in chosen if _day(each) == day]
            numbers[day] = len(set(found)) if users else len(found)
        return numbers

    def _profiles(self, request: Request) -> Answer:
        form = request.form
        if ("page" in form) != ("session_id" in form) or form.get("session_id", SESSION) != SESSION:
            text = "if page is provided, session_id must also be provided"
            return Answer({"error": text, "status": "error"}, 400)
        page = int(form.get("page", 0))
        return Answer(
            {
                "page": page,
                "page_size": PAGE_SIZE,
                "session_id": SESSION,
                "status": "ok",
                "total": len(self.profiles),
                "results": self.profiles[page * PAGE_SIZE : (page + 1) * PAGE_SIZE],
            }
        )

    def _cohorts(self, _: Request) -> Answer:
        return Answer(COHORTS)


COHORTS: list[Row] = [
    {
        "id": 1000 + number,
        "project_id": int(PROJECT),
        "name": f"Cohort {number}",
        "description": "",
        "count": 25 * number,
        "is_visible": 1,
        "created": "2026-01-02 10:00:00",
    }
    for number in range(3)
]


def _days(request: Request) -> list[str]:
    first, last = (date.fromisoformat(request.query[f"{end}_date"]) for end in ("from", "to"))
    return [str(first + timedelta(days=at)) for at in range((last - first).days + 1)]


def _values_of(resource: str) -> tuple[str, ...]:
    return ("DE", "CH") if resource == "sign_ups_by_country" else NAMES


def _day(event: Row) -> str:
    return str(datetime.fromtimestamp(event["properties"]["time"], UTC).date())


def _event(day: str, number: int) -> Row:
    moment = datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(hours=2 * number)
    properties: dict[str, Any] = {
        "time": int(moment.timestamp()),
        "distinct_id": f"visitor-{number % 3}",
        "$insert_id": f"insert-{day}-{number}",
        "mp_country_code": "CH" if number % 4 else "DE",
        "$city": "Zürich",
        "price": 1.5,
        "tags": ["a", {"b": None}],
    }
    if number == 4:  # of a device without either
        del properties["$insert_id"], properties["distinct_id"]
        properties["distinct_id"] = ""
    return {"event": NAMES[number % 2], "properties": properties}


def _row(event: Row) -> Row:
    properties = event["properties"]
    return {
        "event": event["event"],
        "distinct_id": properties["distinct_id"],
        "time": datetime.fromtimestamp(properties["time"], UTC),
        "insert_id": properties.get("$insert_id", ""),
        "date": _day(event),
        "properties": properties,
    }


def _profile(number: int) -> Row:
    properties = {"$email": f"{number}@example.com", "$last_seen": "2026-01-02T10:00:00", "plan": 1}
    return {"$distinct_id": f"visitor-{number}", "$properties": properties}
