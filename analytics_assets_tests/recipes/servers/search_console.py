"""Search Console API v3: the list of sites, and `searchAnalytics/query`.

https://developers.google.com/webmaster-tools/v1/searchanalytics/query
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from urllib.parse import quote

from analytics_assets_tests.recipes.google_sign_in import GoogleServer, error
from analytics_assets_tests.recipes.server import DAYS, EMPTY_DAY, Answer, Request, Row, Table
from analytics_assets_tests.recipes.visits import Visits, days_between

SITE, DOMAIN = "https://www.example.com/", "sc-domain:example.org"
PATHS = {
    f"/webmasters/v3/sites/{quote(site, safe='')}/searchAnalytics/query": site
    for site in (SITE, DOMAIN)
}
MOST_ROWS = 4  # of an answer; Google's limit is 25,000
MOST_ASKED = 25_000
ROWS_UNASKED = 3  # without `rowLimit`; Google's default is 1,000
DIMENSIONS = {
    "date": "day",
    "query": "event",
    "page": "page",
    "country": "country",
    "device": "device",
}
REPORTS = {
    "days": ("date",),
    "queries": ("date", "query"),
    "pages": ("date", "page"),
    "countries_and_devices": ("date", "country", "device"),
}
LIST = [
    {"siteUrl": SITE, "permissionLevel": "siteFullUser"},
    {"siteUrl": DOMAIN, "permissionLevel": "siteRestrictedUser"},
]
UNVERIFIED = {"siteUrl": "https://example.net/", "permissionLevel": "siteUnverifiedUser"}


class SearchConsoleServer(GoogleServer):
    """Two sites with a few searches, and one that is not verified.

    The searches of `EMPTY_DAY` are not final yet.
    """

    hosts: ClassVar = {
        "https://www.googleapis.com/web": "/web",
        "https://oauth2.googleapis.com": "",
    }
    scope = "https://www.googleapis.com/auth/webmasters.readonly"
    resources: ClassVar = {
        **{
            name: Table(("site_url", *keys), "date", is_alike=name != "pages")
            for name, keys in REPORTS.items()
        },
        "sites": Table(("site_url",)),
    }
    quota_sentence = "its limit is exceeded"

    def __init__(self) -> None:
        super().__init__()
        self.visits = {SITE: Visits((*DAYS, EMPTY_DAY)), DOMAIN: Visits(DAYS[:1])}

    def quota_answer(self) -> Answer:
        text = "Search Analytics load quota exceeded."
        reason = {"message": text, "domain": "usageLimits", "reason": "quotaExceeded"}
        return error(403, text, "PERMISSION_DENIED", errors=[reason])

    def report(self, request: Request) -> Answer:
        if (request.method, request.path) == ("GET", "/webmasters/v3/sites"):
            return Answer({"siteEntry": [*LIST, UNVERIFIED]})
        if request.method != "POST" or request.path not in PATHS:
            text = "User does not have sufficient permission for this site."
            return error(403, text, "PERMISSION_DENIED")
        try:
            return self._query(PATHS[request.path], request.body)
        except (KeyError, ValueError) as problem:
            return error(400, f"Invalid argument: {problem}", "INVALID_ARGUMENT")

    def _query(self, site: str, asked: Mapping[str, Any]) -> Answer:
        days = days_between(asked["startDate"], asked["endDate"])
        if asked.get("dataState", "final") == "final":
            days = [day for day in days if day != EMPTY_DAY]
        rows = self._rows(site, asked.get("dimensions", ()), days)
        offset, limit = asked.get("startRow", 0), asked.get("rowLimit", ROWS_UNASKED)
        if not (isinstance(limit, int) and 0 < limit <= MOST_ASKED and isinstance(offset, int)):
            raise ValueError("rowLimit must be from 1 to 25000")
        page = rows[offset : offset + min(limit, MOST_ROWS)]
        found = {"rows": page} if page else {}
        return Answer({**found, "responseAggregationType": "byProperty"})

    def _rows(
        self, site: str, dimensions: Sequence[str], days: Sequence[str]
    ) -> list[dict[str, Any]]:
        groups = self.visits[site].grouped([DIMENSIONS[name] for name in dimensions], days)
        rows = [
            {"keys": [_key(each) for each in values], **_measures(sums)}
            for values, sums in groups.items()
        ]
        return sorted(rows, key=lambda row: -row["clicks"])

    def expected(self, resource: str) -> list[Row]:
        if resource == "sites":
            names = {"siteUrl": "site_url", "permissionLevel": "permission_level"}
            return [{names[name]: value for name, value in site.items()} for site in LIST]
        keys = REPORTS[resource]
        return [
            {
                "site_url": site,
                **dict(zip(keys, map(_key, values), strict=True)),
                "date": date.fromisoformat(values[0]),
                **_measures(sums),
            }
            for site, visits in self.visits.items()
            for values, sums in visits.grouped([DIMENSIONS[name] for name in keys]).items()
            if values[0] != EMPTY_DAY
        ]

    def restate(self, day: str) -> None:
        self.visits[SITE].restate(day)


def _key(value: str) -> str:
    codes = {"DE": "deu", "CW": "cuw", "US": "usa", "FR": "fra"}
    devices = {"desktop": "DESKTOP", "mobile": "MOBILE", "tablet": "TABLET"}
    page = f"https://www.example.com{value}" if value.startswith("/") else value
    return codes.get(value, devices.get(value, page))


def _measures(sums: Mapping[str, int]) -> dict[str, Any]:
    clicks, impressions = sums["visits"], sums["views"] * 8
    position = sums["seconds"] / sums["views"]
    return {
        "clicks": clicks,
        "impressions": impressions,
        "ctr": clicks / impressions,
        "position": int(position) if position.is_integer() else position,
    }
