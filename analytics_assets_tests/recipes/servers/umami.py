"""Umami: websites, and events, sessions and numbers of each, computed from its events.

- https://docs.umami.is/docs/api, .../website-stats-api, .../sessions-api, .../events-api
- https://docs.umami.is/docs/cloud/api-key (the key and its limit)
- https://github.com/umami-software/umami (`src/lib/request.ts`, `src/queries/sql`): both ends of a
  span belong to it
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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

KEY = "api_TheKeyOfTheAccount"
USER = {"username": "reader", "password": "open sesame"}  # of an instance of one's own
TOKEN = "eyTMjU2IiwiY...4Q0JDLUhWxnIjoiUE_A"
BASE = "/v1/"
PAGE_SIZE = 20  # if a request states none
PAGE_VIEW, CUSTOM_EVENT = 1, 2
WEBSITES = ("86d4095c-a2a8-4fc8-9521-103e858e2b41", "22222222-a2a8-4fc8-9521-103e858e2b42")
FIELDS = {"path": "urlPath", "referrer": "referrerDomain"}
TABLES = {"pages": "path", "referrers": "referrer"}


class UmamiServer(VendorServer):
    """Umami Cloud for an account with two websites."""

    resources: ClassVar[Mapping[str, Table]] = {
        "websites": Table(),
        "events": Table(day="created_at"),
        "sessions": Table(key=("id", "date"), day="date"),
        "stats": Table(key=("website_id", "date"), day="date"),
        **{
            name: Table(("website_id", "date", "name"), "date", is_alike=name != "pages")
            for name in TABLES
        },
    }

    def __init__(self) -> None:
        super().__init__()
        self.events = [
            _event(website, day, number)
            for website in WEBSITES
            for day in DAYS
            for number in range(7)
        ]

    def settings(self) -> dict[str, str]:
        return {"BASE_URL": f"{self.url}{BASE}".rstrip("/"), "API_KEY": KEY}

    def answer(self, request: Request) -> Answer:
        if (request.method, request.path) == ("POST", f"{BASE}auth/login"):
            return _login(request.body)
        signed = request.headers.get("authorization") == f"Bearer {TOKEN}"
        if not signed and request.headers.get("x-umami-api-key") != KEY:
            return _error(401, "unauthorized", "Unauthorized")
        parts = request.path.removeprefix(BASE).split("/")
        if parts == ["websites"]:
            return _page(request, [_website(each) for each in WEBSITES])
        kind = "/".join(parts[2:])
        if parts[0] != "websites" or parts[1] not in WEBSITES:
            return _error(401, "unauthorized", "Unauthorized")
        if not {"startAt", "endAt"} <= request.query.keys():
            return _error(400, "bad-request", "Bad request")
        start, end = request.number("startAt"), request.number("endAt")
        events = self._between(parts[1], start, end)
        if kind == "events":
            newest = sorted(events, key=lambda each: str(each["createdAt"]), reverse=True)
            return _page(request, [_public(each) for each in newest])
        if kind == "sessions":
            return _page(request, _sessions(events))
        if kind == "stats":
            before = self._between(parts[1], 2 * start - end, start)
            return Answer({**_numbers(events), "comparison": _numbers(before)})
        if kind == "metrics/expanded" and request.query.get("type") in FIELDS:
            rows = _expanded(events, FIELDS[request.query["type"]])
            offset, limit = request.number("offset"), request.number("limit", 500)
            return Answer(rows[offset : offset + limit])
        return _error(404, "not-found", "Not found")

    def quota_answer(self) -> Answer:
        return _error(429, "too-many-requests", "Too many requests")

    def expected(self, resource: str) -> list[Row]:
        if resource == "websites":
            return [_columns(_website(each)) for each in WEBSITES]
        if resource == "events":
            return [_columns(_public(each)) for each in self.events]
        rows = []
        for website in WEBSITES:
            for day in (*DAYS, EMPTY_DAY):
                events = [
                    each
                    for each in self.events
                    if (each["websiteId"], each["createdAt"][:10]) == (website, day)
                ]
                if resource == "sessions":
                    rows += [{**_columns(each), "date": day} for each in _sessions(events)]
                    continue
                place = {"website_id": website, "date": day}
                if resource == "stats":
                    rows.append({**place, **_numbers(events)})
                else:
                    found = _expanded(events, FIELDS[TABLES[resource]])
                    rows += [{**place, **each} for each in found]
        return rows

    def restate(self, day: str) -> None:
        for each in self.events:
            if each["createdAt"].startswith(day):
                each["city"] = "Bern"
        self.events.append(_event(WEBSITES[0], day, 9))

    def _between(self, website: str, start: int, end: int) -> list[Row]:
        return [
            each
            for each in self.events
            if each["websiteId"] == website and start <= _milliseconds(each["createdAt"]) <= end
        ]


def _error(status: int, code: str, message: str) -> Answer:
    return Answer({"error": {"message": message, "code": code, "status": status}}, status)


def _login(sent: Any) -> Answer:
    if {name: sent.get(name) for name in USER} != USER:
        return _error(401, "incorrect-username-password", "Unauthorized")
    return Answer({"token": TOKEN, "user": {"username": USER["username"], "role": "view-only"}})


def _page(request: Request, rows: list[Row]) -> Answer:
    page, size = request.number("page", 1), request.number("pageSize", PAGE_SIZE)
    data = rows[(page - 1) * size : page * size]
    return Answer({"data": data, "count": len(rows), "page": page, "pageSize": size})


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _website(name: str) -> Row:
    return {
        "id": name,
        "name": f"Site {name[:2]}",
        "domain": f"{name[:2]}.example.com",
        "shareId": None,
        "resetAt": None,
        "userId": "u-1",
        "createdAt": "2025-12-01T10:00:00.000Z",
        "updatedAt": "2025-12-02T10:00:00.000Z",
        "deletedAt": None,
    }


def _event(website: str, day: str, number: int) -> Row:
    # the first and the last are in the first and the last millisecond of the day
    moment = datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(hours=number)
    if number == 6:
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_000)
    return {
        "id": f"{website[:4]}-{day}-{number}",
        "websiteId": website,
        "sessionId": f"s-{website[:4]}-{number % 3}",
        "visitId": f"v-{website[:4]}-{day}-{number % 3}",
        "createdAt": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "hostname": f"{website[:2]}.example.com",
        "urlPath": f"/{number % 3}é" if number % 5 else "/",
        "urlQuery": "",
        "referrerDomain": "www.google.com" if number % 2 else "",
        "country": "CH",
        "city": "Zürich",
        "eventType": CUSTOM_EVENT if number == 5 else PAGE_VIEW,
        "eventName": "sign-up" if number == 5 else None,
        "hasData": number == 5,
    }


def _public(event: Row) -> Row:
    return {name: value for name, value in event.items() if name != "visitId"}


def _sessions(events: list[Row]) -> list[Row]:
    groups: dict[str, list[Row]] = {}
    for each in events:
        groups.setdefault(each["sessionId"], []).append(each)
    rows = []
    for session, group in groups.items():
        moments = sorted(each["createdAt"] for each in group)
        kinds = [each["eventType"] for each in group]
        rows.append(
            {
                "id": session,
                "websiteId": group[0]["websiteId"],
                "hostname": group[0]["hostname"],
                "browser": "firefox",
                "country": group[0]["country"],
                "firstAt": moments[0],
                "lastAt": moments[-1],
                "visits": len({each["visitId"] for each in group}),
                "views": kinds.count(PAGE_VIEW),
                "events": kinds.count(CUSTOM_EVENT),
                "createdAt": moments[-1],
            }
        )
    return sorted(rows, key=lambda each: str(each["lastAt"]), reverse=True)


def _numbers(events: list[Row]) -> Row:
    """Return the numbers of page views; custom events do not count."""
    views = [each for each in events if each["eventType"] != CUSTOM_EVENT]
    visits: dict[str, list[int]] = {}
    for each in views:
        visits.setdefault(each["visitId"], []).append(_milliseconds(each["createdAt"]))
    return {
        "pageviews": len(views),
        "visitors": len({each["sessionId"] for each in views}),
        "visits": len(visits),
        "bounces": sum(len(moments) == 1 for moments in visits.values()),
        "totaltime": sum((max(moments) - min(moments)) // 1000 for moments in visits.values()),
    }


def _expanded(events: list[Row], field: str) -> list[Row]:
    groups: dict[str, list[Row]] = {}
    for each in events:
        if each[field] and each["eventType"] != CUSTOM_EVENT:
            groups.setdefault(each[field], []).append(each)
    rows = [{"name": name, **_numbers(group)} for name, group in groups.items()]
    return sorted(rows, key=lambda each: (-each["visitors"], -each["visits"]))


def _columns(row: Row) -> Row:
    """Return a row by the columns of the table, with its times."""
    named: dict[str, Any] = {}
    for name, value in row.items():
        column = "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
        is_time = name.endswith("At") and value is not None
        named[column] = datetime.fromisoformat(value).astimezone(UTC) if is_time else value
    return named
