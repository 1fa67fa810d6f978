"""Google Analytics Data API v1beta: `runReport`.

https://developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/properties/runReport
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count
from typing import Any, ClassVar

from analytics_assets_tests.recipes.google_sign_in import GoogleServer, error
from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table
from analytics_assets_tests.recipes.visits import Visits, days_between

PROPERTY = "213025502"
MOST_ROWS = 4  # of an answer; Google's limit is 250,000
ROWS_UNASKED = 3  # without `limit`; Google's default is 10,000
CONCURRENT_REQUESTS = 10  # of a standard property
DIMENSIONS = {
    "date": "day",
    "sessionDefaultChannelGroup": "channel",
    "sessionSource": "source",
    "sessionMedium": "medium",
    "pagePath": "page",
    "eventName": "event",
    "countryId": "country",
    "country": "country_name",
    "deviceCategory": "device",
}
METRICS = {
    "sessions": ("visits", "TYPE_INTEGER"),
    "engagedSessions": ("engaged", "TYPE_INTEGER"),
    "totalUsers": ("visitors", "TYPE_INTEGER"),
    "newUsers": ("bounces", "TYPE_INTEGER"),
    "screenPageViews": ("views", "TYPE_INTEGER"),
    "eventCount": ("views", "TYPE_INTEGER"),
    "userEngagementDuration": ("seconds", "TYPE_SECONDS"),
    "keyEvents": ("sales", "TYPE_FLOAT"),
    "totalRevenue": ("revenue", "TYPE_CURRENCY"),
}
REPORTS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "traffic": (
        ("date", "sessionDefaultChannelGroup", "sessionSource", "sessionMedium"),
        ("sessions", "engagedSessions", "totalUsers", "newUsers", "keyEvents", "totalRevenue"),
    ),
    "pages": (("date", "pagePath"), ("screenPageViews", "totalUsers", "userEngagementDuration")),
    "events": (("date", "eventName"), ("eventCount", "totalUsers")),
    "key_events": (
        ("date", "eventName", "sessionDefaultChannelGroup"),
        ("keyEvents", "totalUsers", "totalRevenue"),
    ),
    "countries": (
        ("date", "countryId", "country"),
        ("sessions", "engagedSessions", "totalUsers", "keyEvents"),
    ),
    "devices": (
        ("date", "deviceCategory"),
        ("sessions", "engagedSessions", "totalUsers", "keyEvents"),
    ),
}
COLUMNS = {  # the names that dlt makes of the API's
    "sessionDefaultChannelGroup": "session_default_channel_group",
    "sessionSource": "session_source",
    "sessionMedium": "session_medium",
    "pagePath": "page_path",
    "eventName": "event_name",
    "countryId": "country_id",
    "deviceCategory": "device_category",
    "engagedSessions": "engaged_sessions",
    "totalUsers": "total_users",
    "newUsers": "new_users",
    "screenPageViews": "screen_page_views",
    "eventCount": "event_count",
    "userEngagementDuration": "user_engagement_duration",
    "keyEvents": "key_events",
    "totalRevenue": "total_revenue",
}


class GoogleAnalyticsServer(GoogleServer):
    """One property with a few visits.

    Attributes:
        sampled_above: the most days of an answer that is not sampled.
        quota: asked for by `returnPropertyQuota`.
    """

    hosts: ClassVar = {
        "https://analyticsdata.googleapis.com": "",
        "https://oauth2.googleapis.com": "",
    }
    scope = "https://www.googleapis.com/auth/analytics.readonly"
    resources: ClassVar = {
        name: Table(
            ("property_id", *(COLUMNS.get(each, each) for each in dimensions)),
            "date",
            is_alike=name != "traffic",
        )
        for name, (dimensions, _) in REPORTS.items()
    }

    def __init__(self) -> None:
        super().__init__()
        self.visits = Visits(DAYS)
        self.sampled_above = 10_000
        self._numbers = count()
        self._busy = threading.BoundedSemaphore(CONCURRENT_REQUESTS)

    def settings(self) -> dict[str, str]:
        return {**super().settings(), "PROPERTY_ID": PROPERTY}

    def quota_answer(self) -> Answer:
        text = (
            "Exhausted property tokens for a project per hour. These quota tokens will return in "
            "under an hour."
        )
        return error(429, text, "RESOURCE_EXHAUSTED")

    def report(self, request: Request) -> Answer:
        if not self._busy.acquire(blocking=False):
            text = "Exhausted concurrent requests quota."
            return error(429, text, "RESOURCE_EXHAUSTED")
        try:
            if request.method != "POST" or not request.path.endswith(":runReport"):
                return error(404, "Requested entity was not found.", "NOT_FOUND")
            if request.path != f"/v1beta/properties/{PROPERTY}:runReport":
                text = "User does not have sufficient permissions for this property."
                return error(403, text, "PERMISSION_DENIED")
            return self._report(request.body)
        except (KeyError, ValueError) as problem:
            return error(400, f"Invalid argument: {problem}", "INVALID_ARGUMENT")
        finally:
            self._busy.release()

    def _report(self, asked: Mapping[str, Any]) -> Answer:
        [span] = asked["dateRanges"]
        days = days_between(span["startDate"], span["endDate"])
        dimensions = [each["name"] for each in asked["dimensions"]]
        metrics = [each["name"] for each in asked["metrics"]]
        is_sampled = len(days) > self.sampled_above
        rows = self._rows(dimensions, metrics, days, asked.get("dimensionFilter"), is_sampled)
        self._sort(rows, dimensions, [each["dimension"] for each in asked.get("orderBys", ())])
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", ROWS_UNASKED))
        if offset < 0 or limit <= 0:
            raise ValueError("limit must be positive")
        page = rows[offset : offset + min(limit, MOST_ROWS)]
        metadata: dict[str, Any] = {"currencyCode": "EUR", "timeZone": "Europe/Berlin"}
        if is_sampled:
            sizes = {"samplesReadCount": "500000", "samplingSpaceSize": "15328013"}
            metadata["samplingMetadatas"] = [sizes]
        # what is empty or zero is left out, as everywhere in Google's JSON
        return Answer(
            {
                "dimensionHeaders": [{"name": name} for name in dimensions],
                "metricHeaders": [{"name": name, "type": METRICS[name][1]} for name in metrics],
                **({"rows": page} if page else {}),
                **({"rowCount": len(rows)} if rows else {}),
                "metadata": metadata,
                **(_quota() if asked.get("returnPropertyQuota") else {}),
                "kind": "analyticsData#runReport",
            }
        )

    def _rows(
        self,
        dimensions: Sequence[str],
        metrics: Sequence[str],
        days: Sequence[str],
        only: Mapping[str, Any] | None,
        is_sampled: bool,
    ) -> list[dict[str, Any]]:
        groups = self.visits.grouped([DIMENSIONS[name] for name in dimensions], days)
        rows = []
        for values, sums in groups.items():
            measured = [sums[METRICS[name][0]] * (10 if is_sampled else 1) for name in metrics]
            values = tuple(each.replace("-", "") if each in DAYS else each for each in values)
            if (only is None or _fits(dict(zip(dimensions, values, strict=True)), only)) and any(
                measured
            ):
                rows.append(
                    {
                        "dimensionValues": [{"value": each} for each in values],
                        "metricValues": [{"value": str(each)} for each in measured],
                    }
                )
        return rows

    def _sort(
        self, rows: list[dict[str, Any]], dimensions: Sequence[str], orders: Sequence[Any]
    ) -> None:
        """Sort rows as asked; where nothing is asked, each answer has them in another order."""
        places = [dimensions.index(each["dimensionName"]) for each in orders]
        turn = next(self._numbers) % max(len(rows), 1)
        rows[:] = rows[turn:] + rows[:turn]
        rows.sort(key=lambda row: [row["dimensionValues"][place]["value"] for place in places])

    def expected(self, resource: str) -> list[Row]:
        dimensions, metrics = REPORTS[resource]
        rows = []
        for values, sums in self.visits.grouped([DIMENSIONS[name] for name in dimensions]).items():
            measured = [sums[METRICS[name][0]] for name in metrics]
            if resource == "key_events" and "purchase" not in values:
                continue
            names = [COLUMNS.get(name, name) for name in (*dimensions, *metrics)]
            row: Row = dict(zip(names, (*values, *measured), strict=True))
            own = {"property_id": PROPERTY, "date": date.fromisoformat(row["date"])}
            rows.append({**row, **own, "currency": "EUR"})
        return rows

    def restate(self, day: str) -> None:
        self.visits.restate(day)


def _fits(row: Mapping[str, str], only: Mapping[str, Any]) -> bool:
    # of the filters, the recipe needs this one; it keeps the events that count as key events
    found = only["filter"]
    wanted = found["stringFilter"]["value"] == "true"
    if found["fieldName"] != "isKeyEvent":
        raise ValueError(f"the field {found['fieldName']} cannot be filtered")
    return (row["eventName"] == "purchase") is wanted


def _quota() -> dict[str, Any]:
    status = {"consumed": 1, "remaining": 199_000}
    kinds = ("tokensPerDay", "tokensPerHour", "concurrentRequests", "tokensPerProjectPerHour")
    return {"propertyQuota": dict.fromkeys(kinds, status)}
