"""Plausible's Stats API v2: `/api/v2/query`.

https://plausible.io/docs/stats-api
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count
from typing import Any, ClassVar

from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table, VendorServer
from analytics_assets_tests.recipes.visits import Visits, days_between

KEY = "plausible-key-0123456789"
SITE = "example.com"
MOST_ROWS = 4  # of an answer; Plausible's is 10,000
DIMENSIONS = {
    "time:day": "day",
    "visit:source": "source",
    "visit:channel": "channel",
    "event:page": "page",
    "visit:country": "country",
    "visit:country_name": "country_name",
    "visit:device": "device",
    "event:goal": "event",
}
EVENT_DIMENSIONS = ("event:goal",)  # with which metrics of visits are refused
VISIT_METRICS = ("bounce_rate", "visit_duration", "views_per_visit")
USUAL = ("visitors", "visits", "pageviews", "bounce_rate", "visit_duration")
REPORTS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "days": (("time:day",), (*USUAL, "views_per_visit")),
    "sources": (("time:day", "visit:channel", "visit:source"), USUAL),
    "pages": (
        ("time:day", "event:page"),
        ("visitors", "visits", "pageviews", "bounce_rate", "time_on_page", "scroll_depth"),
    ),
    "countries": (("time:day", "visit:country", "visit:country_name"), USUAL),
    "devices": (("time:day", "visit:device"), USUAL),
    "goals": (("time:day", "event:goal"), ("visitors", "events", "conversion_rate")),
}
ERROR_OF_KEY = (
    "Invalid API key or site ID. Please make sure you're using a valid API key with access to the "
    "site you've requested."
)


def column(name: str) -> str:
    """Return the column of a dimension or a metric."""
    return "date" if name == "time:day" else name.replace(":", "_")


class PlausibleServer(VendorServer):
    """One site with a few visits."""

    hosts: ClassVar = {"https://plausible.io": ""}
    resources: ClassVar = {
        name: Table(("site_id", *map(column, dimensions)), "date", is_alike=name != "sources")
        for name, (dimensions, _) in REPORTS.items()
    }

    def __init__(self) -> None:
        super().__init__()
        self.visits = Visits(DAYS)
        self._numbers = count()

    def settings(self) -> dict[str, str]:
        return {"TOKEN": KEY, "SITE_ID": SITE}

    def is_sign_in(self, request: Request) -> bool:
        return False

    def quota_answer(self) -> Answer:
        text = (
            "Too many API requests. Your API key is limited to 600 requests per hour. Please "
            "contact us to request more capacity."
        )
        return Answer({"error": text}, 429)

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Answer({"error": ERROR_OF_KEY}, 401)
        if (request.method, request.path) != ("POST", "/api/v2/query"):
            return Answer({"error": "Not found"}, 404)
        asked = request.body
        if asked.get("site_id") != SITE:
            return Answer({"error": ERROR_OF_KEY}, 401)
        try:
            return self._query(asked)
        except (KeyError, ValueError, TypeError) as problem:
            return Answer({"error": f"#: Invalid query: {problem}"}, 400)

    def _query(self, asked: Mapping[str, Any]) -> Answer:
        first, last = asked["date_range"]
        dimensions, metrics = asked.get("dimensions", []), asked["metrics"]
        if set(EVENT_DIMENSIONS) & set(dimensions) and set(VISIT_METRICS) & set(metrics):
            raise ValueError("Session metric(s) cannot be queried along with event dimensions")
        rows = self._rows(dimensions, metrics, days_between(first, last))
        orders = asked.get("order_by") or [["time:day", "asc"]]
        turn = next(self._numbers) % max(len(rows), 1)
        rows = rows[turn:] + rows[:turn]  # what is not asked for has no order
        places = [dimensions.index(name) for name, _ in orders if name in dimensions]
        rows.sort(key=lambda row: [row["dimensions"][place] for place in places])
        pagination = {"limit": 10_000, "offset": 0, **asked.get("pagination", {})}
        if not all(isinstance(each, int) for each in pagination.values()):
            raise ValueError("#/pagination: Type mismatch. Expected Integer")
        offset = pagination["offset"]
        has_total = asked.get("include", {}).get("total_rows", False)
        return Answer(
            {
                "results": rows[offset : offset + min(pagination["limit"], MOST_ROWS)],
                "meta": {"total_rows": len(rows)} if has_total else {},
                "query": {
                    **{"site_id": SITE, "metrics": metrics, "dimensions": dimensions},
                    "date_range": [f"{first}T00:00:00+00:00", f"{last}T23:59:59+00:00"],
                    **{"filters": [], "order_by": orders, "pagination": pagination},
                },
            }
        )

    def _rows(
        self, dimensions: Sequence[str], metrics: Sequence[str], days: Sequence[str]
    ) -> list[dict[str, Any]]:
        groups = self.visits.grouped([DIMENSIONS[name] for name in dimensions], days)
        return [
            {"metrics": [_metric(name, sums) for name in metrics], "dimensions": list(values)}
            for values, sums in groups.items()
        ]

    def expected(self, resource: str) -> list[Row]:
        dimensions, metrics = REPORTS[resource]
        rows = []
        for values, sums in self.visits.grouped([DIMENSIONS[name] for name in dimensions]).items():
            row: Row = dict(zip(map(column, dimensions), values, strict=True))
            row |= {name: _metric(name, sums) for name in metrics}
            rows.append({**row, "site_id": SITE, "date": date.fromisoformat(row["date"])})
        return rows

    def restate(self, day: str) -> None:
        self.visits.restate(day)


def _metric(name: str, sums: Mapping[str, Any]) -> Any:
    visits, views = sums["visits"], sums["views"]
    rates = {
        "visitors": sums["visitors"],
        "visits": visits,
        "pageviews": views,
        "events": views + sums["sales"],
        "bounce_rate": round(100 * sums["bounces"] / visits),
        "visit_duration": sums["seconds"] // visits,
        "views_per_visit": round(views / visits, 2),
        # null where nothing was measured
        "time_on_page": sums["seconds"] // views if views % 2 else None,
        "scroll_depth": sums["bounces"] * 10 % 101,
        "conversion_rate": round(100 * sums["visitors"] / (visits + 40), 1),
    }
    return rates[name]
