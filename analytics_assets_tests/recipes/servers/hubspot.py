"""HubSpot's CRM API v3: lists by the cursor `after`, searches by filters, limits by 429.

Sources: developers.hubspot.com/docs: CRM objects, CRM search, private apps, usage guidelines.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table, VendorServer

TOKEN = "pat-eu1-example"
MOST_LISTED, MOST_SEARCHED = 100, 200  # objects of a page
MOST_FOUND = 10_000  # objects that a search can page through
PER_DAY = {"contacts": 40, "deals": 80}  # two pages of each
KINDS = ("contacts", "companies", "deals")


class HubSpotServer(VendorServer):
    """An account with contacts, companies and deals."""

    hosts: ClassVar = {"https://api.hubapi.com": ""}
    resources: ClassVar = {
        "contacts": Table(),
        "companies": Table(),
        "deals": Table(),
        "archived_deals": Table(),
    }

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, list[dict[str, Any]]] = {
            kind: [
                crm_object(kind, f"{at}{number:03}", day, number)
                for at, day in enumerate(DAYS, start=1)
                for number in range(PER_DAY.get(kind, 4))
            ]
            for kind in KINDS
        }
        archive(self.objects["deals"][0], DAYS[1])
        self._gone: list[Row] = []  # deals that were loaded, and archived later

    def settings(self) -> dict[str, str]:
        return {"SOURCES__SHOP__TOKEN": TOKEN}

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return failure(401, "Authentication credentials not found.", "INVALID_AUTHENTICATION")
        match request.path.split("/"):
            case ["", "crm", "v3", "objects", kind] if kind in KINDS and request.method == "GET":
                return self._list(request, kind)
            case ["", "crm", "v3", "objects", kind, "search"] if request.method == "POST":
                return self._search(request.body, kind)
        return failure(404, "resource not found", "OBJECT_NOT_FOUND")

    def quota_answer(self) -> Answer:
        body = {
            "status": "error",
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": "c033cdaa-2c40-4a64-ae48-b4cec88dad24",
            "policyName": "TEN_SECONDLY_ROLLING",
        }
        return Answer(body, 429, {"X-HubSpot-RateLimit-Remaining": "0"})

    def expected(self, resource: str) -> list[Row]:
        kind = resource.removeprefix("archived_")
        is_archived = kind != resource
        objects = [each for each in self.objects[kind] if each["archived"] == is_archived]
        return [flat(each) for each in objects] + ([] if is_archived else self._left(kind))

    def restate(self, day: str) -> None:
        for kind, objects in self.objects.items():
            for each in [each for each in objects if each["updatedAt"].startswith(day)]:
                modify(each, f"{day}T23:59:59.999Z", **CHANGES[kind])
            objects.append(crm_object(kind, "9999", day, 0))
        self._gone = [flat(self.objects["deals"][1])]
        archive(self.objects["deals"][1], day)
        del self.objects["contacts"][0]

    def _left(self, kind: str) -> list[Row]:
        """Return the rows that stay in the table, as no load asks for them again."""
        return self._gone if kind == "deals" else []

    def _list(self, request: Request, kind: str) -> Answer:
        if unknown := set(request.query) - {"limit", "after", "properties", "archived"}:
            return failure(400, f"Unknown parameter {min(unknown)}", "VALIDATION_ERROR")
        limit = request.number("limit", 10)
        if not 1 <= limit <= MOST_LISTED:
            return failure(400, "limit must be between 1 and 100", "VALIDATION_ERROR")
        is_archived = request.query.get("archived") == "true"
        objects = [each for each in self.objects[kind] if each["archived"] == is_archived]
        asked = request.query.get("properties", "").split(",")
        return page([shown(each, asked) for each in objects], request.query.get("after"), limit)

    def _search(self, body: dict[str, Any], kind: str) -> Answer:
        objects = [each for each in self.objects[kind] if not each["archived"]]
        filters = [each for group in body.get("filterGroups", []) for each in group["filters"]]
        for each in filters:
            if not isinstance(each.get("value"), str):
                return failure(400, "Invalid input JSON: value", "VALIDATION_ERROR")
            select = FILTERS.get((each["propertyName"], each["operator"]))
            if select is None:
                return failure(400, "There was a problem with the request.", "VALIDATION_ERROR")
            objects = [one for one in objects if select(one, int(each["value"]))]
        [sort] = body["sorts"]
        by_id = sort["propertyName"] == "hs_object_id"
        order: Callable[[dict[str, Any]], Any] = (
            (lambda one: int(one["id"])) if by_id else moment_of
        )
        objects.sort(key=order, reverse=sort["direction"] == "DESCENDING")
        limit, after = int(body.get("limit", 10)), body.get("after")
        if not 1 <= limit <= MOST_SEARCHED or int(after or 0) + limit > MOST_FOUND:
            return failure(400, "There was a problem with the request.", "VALIDATION_ERROR")
        found = [shown(each, body["properties"]) for each in objects]
        return page(found, after, limit, {"total": len(found)})


def page(
    objects: list[dict[str, Any]],
    after: str | None,
    limit: int,
    around: dict[str, Any] | None = None,
) -> Answer:
    """Return the objects after a cursor, and the next one where there are more."""
    start = int(after or 0)
    end = start + limit
    following = {"paging": {"next": {"after": str(end), "link": f"?after={end}"}}}
    has_more = end < len(objects)
    return Answer(
        {**(around or {}), "results": objects[start:end], **(following if has_more else {})}
    )


def failure(status: int, text: str, category: str) -> Answer:
    """Return an error as HubSpot words it."""
    return Answer({"status": "error", "message": text, "category": category}, status)


def crm_object(kind: str, number: str, day: str, minutes: int) -> dict[str, Any]:
    """Return an object that was made on a day."""
    made = datetime.fromisoformat(f"{day}T08:00:00.250+00:00") + timedelta(minutes=minutes)
    text = made.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    own = {name: value.format(number) for name, value in PROPERTIES[kind].items()}
    properties = {**own, "createdate": text, "hs_object_id": number}
    each = {"id": number, "properties": properties, "createdAt": text, "archived": False}
    return modify(each, text)


def modify(each: dict[str, Any], moment: str, **changes: str) -> dict[str, Any]:
    """Change properties of an object at a moment."""
    properties = each["properties"]
    name = "lastmodifieddate" if "email" in properties else "hs_lastmodifieddate"
    properties.update({name: moment, **changes})
    each["updatedAt"] = moment
    return each


def archive(each: dict[str, Any], day: str) -> None:
    """Move an object to the archive."""
    each.update(archived=True, archivedAt=f"{day}T12:00:00.500Z")


def moment_of(each: dict[str, Any]) -> datetime:
    """Return the time of an object's last change."""
    return datetime.fromisoformat(each["updatedAt"])


def shown(each: dict[str, Any], asked: list[str]) -> dict[str, Any]:
    """Return an object with the properties that were asked for, and those that all have."""
    properties: dict[str, Any] = each["properties"]
    always = ("createdate", "hs_object_id", "hs_lastmodifieddate", "lastmodifieddate")
    kept = {name: value for name, value in properties.items() if name in (*asked, *always)}
    missing = {name: None for name in asked if name not in properties}
    copied: dict[str, Any] = json.loads(json.dumps({**each, "properties": {**kept, **missing}}))
    return copied


def flat(each: dict[str, Any]) -> Row:
    """Return an object as a row, with a column for each property and times as such."""
    around = {snake(name): value for name, value in each.items() if name != "properties"}
    properties = {f"properties__{name}": value for name, value in each["properties"].items()}
    return {
        name: datetime.fromisoformat(value) if name.endswith(("_at", "date")) else value
        for name, value in {**around, **properties}.items()
    }


def snake(name: str) -> str:
    """Return a name as a column has it."""
    return name.replace("At", "_at")


FILTERS: dict[tuple[str, str], Callable[[dict[str, Any], int], bool]] = {
    ("hs_lastmodifieddate", "GTE"): lambda each, limit: moment_of(each).timestamp() * 1000 >= limit,
    ("hs_object_id", "GT"): lambda each, limit: int(each["id"]) > limit,
}
PROPERTIES = {
    "contacts": {"email": "c{}@example.com", "firstname": "Ada", "lastname": "L{}"},
    "companies": {"name": "Acme {}", "domain": "a{}.example.com"},
    "deals": {"dealname": "Deal {}", "amount": "{}.50", "dealstage": "won"},
}
CHANGES = {
    "contacts": {"firstname": "Grace"},
    "companies": {"name": "Acme & Sons"},
    "deals": {"dealstage": "lost"},
}
