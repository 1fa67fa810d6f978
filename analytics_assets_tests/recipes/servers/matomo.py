"""Matomo's Reporting API: `index.php?module=API`.

https://developer.matomo.org/api-reference/reporting-api
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table, VendorServer
from analytics_assets_tests.recipes.visits import Visits, days_between

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SITE = "3"
ROWS_UNASKED = 2  # without `filter_limit`; Matomo's default is 100
# reports with a list of rows a day: the attribute of visits that is the label
LISTS = {
    "Actions.getPageUrls": "page",
    "Referrers.getReferrerType": "channel",
    "Referrers.getWebsites": "source",
    "UserCountry.getCountry": "country_name",
    "DevicesDetection.getType": "device",
    "Events.getName": "event",
}
WITH_SUBTABLES = ("Actions.getPageUrls", "Referrers.getWebsites", "Events.getName")
METHODS = {
    "visits": "VisitsSummary.get",
    "pages": "Actions.getPageUrls",
    "channels": "Referrers.getReferrerType",
    "referrer_websites": "Referrers.getWebsites",
    "countries": "UserCountry.getCountry",
    "devices": "DevicesDetection.getType",
    "events": "Events.getName",
}


class MatomoServer(VendorServer):
    """A Matomo 5 with one site. Its token is valid in the body of a POST alone."""

    resources: ClassVar = {
        "visits": Table(("site_id", "date"), "date"),
        **{
            name: Table(("site_id", "date", "label"), "date", is_alike=name != "pages")
            for name, method in METHODS.items()
            if method in LISTS
        },
    }

    def __init__(self) -> None:
        super().__init__()
        self.visits = Visits(DAYS)

    def settings(self) -> dict[str, str]:
        return {"BASE_URL": self.url, "TOKEN_AUTH": TOKEN, "ID_SITE": SITE}

    def is_sign_in(self, request: Request) -> bool:
        return False

    def quota_answer(self) -> Answer:
        # Matomo has no quota; while it is being updated, it answers this
        page = b"<html><body>Matomo is in scheduled maintenance. Please come back later.</body>"
        return Answer(page, 503, {"Content-Type": "text/html; charset=utf-8"})

    def answer(self, request: Request) -> Answer:
        asked = {**request.query, **(request.form if request.method == "POST" else {})}
        if asked.get("module") != "API" or not request.path.endswith("index.php"):
            return Answer(b"<html><body>Sign in</body></html>", 200, {"Content-Type": "text/html"})
        if request.method != "POST" or request.form.get("token_auth") != TOKEN:
            text = (
                "Unable to authenticate with the provided token. It is either invalid, expired or "
                "is required to be sent as a POST parameter."
            )
            return failure(text, 401)
        if asked.get("format") != "JSON":
            return Answer(b"<?xml version='1.0'?><result/>", 200, {"Content-Type": "text/xml"})
        if asked.get("idSite") != SITE:
            text = "You can't access this resource as it requires 'view' access"
            return failure(f"{text} for the website id = {asked.get('idSite')}.", 401)
        return self._report(asked)

    def _report(self, asked: Mapping[str, str]) -> Answer:
        method = asked.get("method", "")
        if method not in METHODS.values():
            return failure(f"The method '{method}' does not exist or is not available.")
        if asked.get("period") != "day":
            return failure(f"The period '{asked.get('period')}' is not supported.")
        first, is_range, last = asked.get("date", "").partition(",")
        try:
            days = days_between(first, last if is_range else first)
        except ValueError:
            return failure(f"Date format must be: YYYY-MM-DD. Found: {asked.get('date')}.")
        reports = {day: self._of_day(method, day, asked) for day in days}
        return Answer(reports if is_range else reports[first])

    def _of_day(self, method: str, day: str, asked: Mapping[str, str]) -> Any:
        """Return a day's rows, its only row, or an empty list: PHP's empty array."""
        is_plain = asked.get("format_metrics") == "0"
        if method not in LISTS:
            groups = self.visits.grouped(["day"], [day])
            return _metrics(groups[(day,)], is_plain) if groups else []
        groups = self.visits.grouped([LISTS[method]], [day])
        rows = [
            {"label": label, **_metrics(sums, is_plain), **_marks(method, label)}
            for (label,), sums in groups.items()
        ]
        if method in WITH_SUBTABLES:
            rows = self._with_subtables(rows, method, asked)
        limit = int(asked.get("filter_limit", ROWS_UNASKED))
        return rows if limit < 0 else rows[:limit]

    @staticmethod
    def _with_subtables(
        rows: list[dict[str, Any]], method: str, asked: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """Return the rows of the first level, with the number of their subtable, or of the last."""
        if asked.get("flat") == "1":
            is_path = method == "Actions.getPageUrls"
            return rows if is_path else [{**row, "label": f"{row['label']} - /"} for row in rows]
        rows = [{"label": "blog", "nb_visits": 1}] if method == "Actions.getPageUrls" else rows
        is_hidden = asked.get("hideIdSubDatable") == "1"
        numbers = [{} if is_hidden else {"idsubdatatable": id(row) % 1000} for row in rows]
        return [{**row, **number} for row, number in zip(rows, numbers, strict=True)]

    def expected(self, resource: str) -> list[Row]:
        method = METHODS[resource]
        label = LISTS.get(method)
        by = ["day", label] if label else ["day"]
        return [
            {
                "site_id": SITE,
                "date": date.fromisoformat(values[0]),
                **({"label": values[1]} if label else {}),
                **_metrics(sums, is_plain=True),
                **(_marks(method, values[1]) if label else {}),
            }
            for values, sums in self.visits.grouped(by).items()
        ]

    def restate(self, day: str) -> None:
        self.visits.restate(day)


def _metrics(sums: Mapping[str, int], is_plain: bool) -> dict[str, Any]:
    rate = sums["bounces"] / sums["visits"]
    return {
        "nb_visits": sums["visits"],
        "nb_uniq_visitors": sums["visitors"],
        "nb_actions": sums["views"],
        "bounce_count": sums["bounces"],
        "sum_visit_length": sums["seconds"],
        "bounce_rate": round(rate, 2) if is_plain else f"{rate:.0%}",
    }


def _marks(method: str, label: str) -> dict[str, str]:
    if method == "Actions.getPageUrls":
        return {"url": f"https://www.example.com{label}"}
    if method == "UserCountry.getCountry":
        codes = {"Germany": "de", "Curaçao": "cw", "United States": "us", "France": "fr"}
        return {"code": codes[label]}
    return {}


def failure(text: str, status: int = 200) -> Answer:
    """Return an error as Matomo reports it: with the status 200, but for sign-in and access."""
    return Answer({"result": "error", "message": text}, status)
