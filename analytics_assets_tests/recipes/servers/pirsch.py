"""Pirsch's API: a token by JSON, domains, and their statistics.

- https://docs.pirsch.io/api-sdks/api-guide-v1 (token, limits, errors, lists that may be null)
- https://docs.pirsch.io/api-sdks/api-v1 (filter, statistics)
"""

import copy
from collections.abc import Mapping
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

CLIENT = {"client_id": "the-client", "client_secret": "the-secret-of-the-client"}
TOKEN = "eyJhbGciOiJSUzI1NiIsInR5cCI"
MOST_ROWS = 100  # of an answer, whatever is asked for
DOMAINS = ("A5kgYzK14m", "B7xyZ")
# the key of a breakdown by its path
BREAKDOWNS = {
    "page": ("path", "title"),
    "referrer": ("referrer", "referrer_name"),
    "country": ("country_code",),
    "events": ("name",),
}
TABLES = {
    "pages": "page",
    "referrers": "referrer",
    "countries": "country",
    "events": "events",
}
ALIKE = ("referrers", "countries")  # as pages


class PirschServer(VendorServer):
    """Two dashboards of Pirsch, for a client of the account."""

    hosts: ClassVar[Mapping[str, str]] = {"https://api.pirsch.io": ""}
    resources: ClassVar[Mapping[str, Table]] = {
        "domains": Table(),
        "visitors": Table(key=("domain_id", "day"), day="day"),
        **{
            name: Table(("domain_id", "date", *BREAKDOWNS[path]), "date", is_alike=name in ALIKE)
            for name, path in TABLES.items()
        },
    }

    def __init__(self) -> None:
        super().__init__()
        self.visitors = {
            (domain, day): _metrics(number)
            for domain in DOMAINS
            for number, day in enumerate(DAYS, start=1)
        }
        self.breakdowns = {
            (path, domain, day): _breakdown(path, 205 if (path, day) == ("page", DAYS[1]) else 2)
            for path in BREAKDOWNS
            for domain in DOMAINS
            for day in DAYS
            if (path, domain, day) != ("events", DOMAINS[1], DAYS[0])  # which has none
        }

    def settings(self) -> dict[str, str]:
        return {name.upper(): value for name, value in CLIENT.items()}

    def answer(self, request: Request) -> Answer:
        path = request.path.removeprefix("/api/v1/")
        if path == "token":
            return self._token(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer({"validation": {}, "error": ["token invalid"]}, 401)
        if path == "domain":
            return Answer([_domain(each) for each in DOMAINS])
        query, kind = request.query, path.removeprefix("statistics/")
        problems = {name: "required" for name in ("id", "from", "to") if not query.get(name)}
        if problems:
            return Answer({"validation": problems, "error": []}, 400)
        if query["id"] not in DOMAINS or query.get("tz") != "UTC":
            return Answer({"validation": {}, "error": ["domain not found"]}, 404)
        first, last = (date.fromisoformat(query[name]) for name in ("from", "to"))
        days = [str(first + timedelta(days=at)) for at in range((last - first).days + 1)]
        if kind == "visitor":
            return Answer([self._day(query["id"], day) for day in days])
        if kind not in BREAKDOWNS:
            return Answer({"validation": {}, "error": ["not found"]}, 404)
        assert len(days) == 1, "several days would be one breakdown of all of them"
        rows = self.breakdowns.get((kind, query["id"], days[0]), [])
        offset, limit = request.number("offset"), min(request.number("limit", 20), MOST_ROWS)
        # a list without elements is null
        return Answer(rows[offset : offset + limit] or None)

    def quota_answer(self) -> Answer:
        headers = {
            "X-RateLimit-Limit": "60",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp())),
            "Retry-After": "0",
        }
        return Answer({"validation": {}, "error": ["too many requests"]}, 429, headers)

    def expected(self, resource: str) -> list[Row]:
        if resource == "domains":
            moments = ("def_time", "mod_time")
            return [
                {
                    name: datetime.fromisoformat(value) if name in moments else value
                    for name, value in _domain(each).items()
                }
                for each in DOMAINS
            ]
        if resource == "visitors":
            return [
                {"domain_id": domain, "day": day, **self.visitors.get((domain, day), _metrics(0))}
                for domain in DOMAINS
                for day in (*DAYS, EMPTY_DAY)
            ]
        return [
            {"domain_id": domain, "date": day, **row}
            for (path, domain, day), rows in self.breakdowns.items()
            if path == TABLES[resource]
            for row in copy.deepcopy(rows)
        ]

    def restate(self, day: str) -> None:
        for domain in DOMAINS:
            self.visitors[domain, day]["visitors"] += 1000
            for path in BREAKDOWNS:
                rows = self.breakdowns[path, domain, day]
                for row in rows:
                    row["visitors"] += 1000
                rows[0] = _row(path, 999)  # the first one is there no more

    def _day(self, domain: str, day: str) -> Row:
        """Return a day; one without visitors has zeros."""
        others = {"week": None, "month": None, "year": None}
        metrics = self.visitors.get((domain, day), _metrics(0))
        return {"day": f"{day}T00:00:00Z", **others, **metrics}

    def _token(self, request: Request) -> Answer:
        if request.headers.get("content-type") != "application/json":
            return Answer({"validation": {}, "error": ["invalid request body"]}, 400)
        sent = request.body
        if {name: sent.get(name) for name in CLIENT} != CLIENT:
            return Answer({"validation": {}, "error": ["client not found"]}, 400)
        end = datetime.now(UTC) + timedelta(minutes=15)
        expires = f"{end:%Y-%m-%dT%H:%M:%S}.903607271Z"
        return Answer({"access_token": TOKEN, "expires_at": expires})


def _domain(name: str) -> Row:
    return {
        "id": name,
        "def_time": "2021-05-22T10:11:12.123456Z",
        "mod_time": "2021-05-22T10:11:12.123456Z",
        "user_id": "pzy1bjD1lv",
        "organization_id": None,
        "hostname": f"{name.lower()}.example.com",
        "public": False,
        "timezone": "Europe/Berlin",
        "metadata": {},
        "active_visitors_seconds": 600,
        "user_role": "Owner",
        "settings": {"week_start": "monday"},
    }


def _metrics(number: int) -> Row:
    return {
        "visitors": number * 10,
        "views": number * 20,
        "sessions": number * 12,
        "bounces": number,
        "bounce_rate": _number(number / 2),
        "cr": _number(number / 4),
        "custom_metric_avg": _number(number / 2),
        "custom_metric_total": 0,
    }


def _breakdown(path: str, rows: int) -> list[Row]:
    return [_row(path, number) for number in range(rows)]


def _row(path: str, number: int) -> Row:
    key: dict[str, Any] = {name: f"{name} {number} é" for name in BREAKDOWNS[path]}
    if "title" in key:
        key["title"] = ""
    if path == "events":
        return {**key, "visitors": number + 1, "cr": _number(number / 2), "meta_keys": ["author"]}
    more = {"relative_views": _number(number / 4), "bounce_rate": 1} if path == "page" else {}
    return {**key, "visitors": number + 1, "relative_visitors": _number(number / 2), **more}


def _number(value: float) -> float:
    """Return a number as Go writes it: a whole one without a point."""
    return int(value) if value == int(value) else value
