"""Stripe's API v1: lists by the id of the last object, newest first, and errors as objects.

Sources: docs.stripe.com/api (authentication, errors, pagination, versioning, and each list),
docs.stripe.com/rate-limits.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table, VendorServer

KEY = "rk_test_51Nexample"
MOST_OBJECTS = 100  # of a page
OPERATORS = ("gte", "gt", "lte", "lt")
TIMES = ("created", "available_on", "due_date", "period_start", "period_end", "start_date")
PER_DAY = {"charges": 70}  # three pages of the three days
OTHERWISE = 4


class StripeServer(VendorServer):
    """A test account with the same number of objects on each day."""

    hosts: ClassVar = {"https://api.stripe.com": ""}
    resources: ClassVar = {
        "charges": Table(day="created"),
        "refunds": Table(is_alike=True),  # as balance_transactions
        "balance_transactions": Table(),
        "balance_transactions__fee_details": Table(key=("description", "amount"), is_child=True),
        "invoices": Table(day="created"),
        "invoices__lines__data": Table(is_child=True),
        "customers": Table(),
        "subscriptions": Table(),
        "subscriptions__items__data": Table(is_child=True),
    }

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, list[dict[str, Any]]] = {
            name: [
                make(number, moment)
                for number, moment in enumerate(moments(PER_DAY.get(name, OTHERWISE)))
            ]
            for name, make in OBJECTS.items()
        }

    def settings(self) -> dict[str, str]:
        return {"SOURCES__SHOP__TOKEN": KEY}

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return failure(401, "Invalid API Key provided: rk_test_***mple")
        name = request.path.removeprefix("/v1/")
        if name not in self.objects:
            return failure(404, f"Unrecognized request URL (GET: {request.path}).")
        asked = dict(request.query)
        known = {"limit", "starting_after", *(f"created[{each}]" for each in OPERATORS)}
        known |= {"status"} if name == "subscriptions" else set()
        if unknown := sorted(set(asked) - known):
            return failure(400, f"Received unknown parameter: {unknown[0]}", "parameter_unknown")
        objects = sorted(self.objects[name], key=lambda each: (-each["created"], each["id"]))
        for operator in OPERATORS:
            if f"created[{operator}]" in asked:
                limit = int(asked[f"created[{operator}]"])
                objects = [each for each in objects if compared(each["created"], operator, limit)]
        if name == "subscriptions" and asked.get("status") != "all":
            objects = [each for each in objects if each["status"] != "canceled"]
        return page(objects, asked, request.path)

    def quota_answer(self) -> Answer:
        text = "Request rate limit exceeded. Learn more about rate limits here"
        answer = failure(429, text, "rate_limit")
        return Answer(answer.body, 429, {"Stripe-Should-Retry": "true"})

    def expected(self, resource: str) -> list[Row]:
        name, _, child = resource.partition("__")
        objects = json.loads(json.dumps(self.objects[name]))
        if not child:
            return [flat(each) for each in objects]
        for part in child.split("__"):
            found = [each[part] for each in objects]
            objects = [row for each in found for row in (each if type(each) is list else [each])]
        return [flat(each) for each in objects]

    def restate(self, day: str) -> None:
        late = len(self.objects["charges"])
        for name, objects in self.objects.items():
            for each in [each for each in objects if at(each["created"]).startswith(day)]:
                each.update(CHANGES[name])
            noon = datetime.fromisoformat(f"{day}T12:00:00+00:00")
            objects.append(OBJECTS[name](late, noon))
        del self.objects["customers"][0]  # a list has no customers that were deleted


def moments(per_day: int) -> Iterator[datetime]:
    """Yield times of each day, from its last second back."""
    for day in DAYS:
        end = datetime.fromisoformat(f"{day}T23:59:59+00:00")
        yield from (end - timedelta(minutes=5 * number) for number in range(per_day))


def page(objects: list[dict[str, Any]], asked: dict[str, str], path: str) -> Answer:
    """Return the objects after one, at most as many as were asked for."""
    limit = int(asked.get("limit", 10))
    if not 1 <= limit <= MOST_OBJECTS:
        return failure(400, "Invalid integer: limit must be between 1 and 100")
    start = 0
    if after := asked.get("starting_after"):
        ids = [each["id"] for each in objects]
        if after not in ids:
            return failure(400, f"No such object: '{after}'", "resource_missing")
        start = ids.index(after) + 1
    rest = objects[start:]
    has_more = len(rest) > limit
    return Answer({"object": "list", "url": path, "has_more": has_more, "data": rest[:limit]})


def failure(status: int, text: str, code: str | None = None) -> Answer:
    """Return an error as Stripe words it."""
    error = {"type": "invalid_request_error", "message": text, **({"code": code} if code else {})}
    return Answer({"error": error}, status)


def compared(created: int, operator: str, limit: int) -> bool:
    """Return True if a time is within a limit of a list."""
    orders = {"gte": created >= limit, "gt": created > limit, "lte": created <= limit}
    return orders.get(operator, created < limit)


def at(seconds: int) -> str:
    """Return seconds since 1970 as the tests compare times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def flat(each: dict[str, Any], prefix: str = "") -> Row:
    """Return an object as a row: its parts are columns, but metadata is one, and lists none."""
    row: Row = {}
    for name, value in each.items():
        if isinstance(value, dict) and name != "metadata":
            row |= flat(value, f"{prefix}{name}__")
        elif not isinstance(value, list):
            is_time = name in TIMES and value is not None
            row[f"{prefix}{name}"] = at(value) if is_time else value
    return row


def charge(number: int, moment: datetime) -> dict[str, Any]:
    return {
        **_object("ch", "charge", number, moment),
        "amount": 1000 + number,
        "amount_refunded": 0,
        "currency": "eur",
        "customer": f"cus_{number % 5:04}",
        "description": None,
        "paid": True,
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "0042"}},
        "status": "succeeded",
    }


def refund(number: int, moment: datetime) -> dict[str, Any]:
    refunded = {"amount": 100, "currency": "eur", "charge": f"ch_{number:04}", "status": "pending"}
    return {**_object("re", "refund", number, moment), **refunded}


def balance_transaction(number: int, moment: datetime) -> dict[str, Any]:
    fee = {"amount": 30 + number, "currency": "eur", "description": f"fee {number}", "type": "tax"}
    return {
        **_object("txn", "balance_transaction", number, moment),
        "amount": 1000 + number,
        "available_on": int((moment + timedelta(days=2)).timestamp()),
        "fee": 30 + number,
        "fee_details": [fee],
        "net": 970,
        "status": "pending",
    }


def invoice(number: int, moment: datetime) -> dict[str, Any]:
    line = {"id": f"il_{number:04}", "object": "line_item", "amount": 500, "quantity": 1}
    lines = {"object": "list", "data": [line], "has_more": False, "url": f"/in_{number}/lines"}
    return {
        **_object("in", "invoice", number, moment),
        "due_date": None,
        "lines": lines,
        "period_end": int(moment.timestamp()),
        "period_start": int((moment - timedelta(days=31)).timestamp()),
        "status": "open",
        "total": 500,
    }


def customer(number: int, moment: datetime) -> dict[str, Any]:
    person = {"email": f"c{number}@example.com", "name": "Ada", "address": {"city": "Oslo"}}
    return {**_object("cus", "customer", number, moment), **person}


def subscription(number: int, moment: datetime) -> dict[str, Any]:
    price = {"id": "price_0001", "currency": "eur", "unit_amount": 900}
    item = {"id": f"si_{number:04}", "price": price, "quantity": 1}
    return {
        **_object("sub", "subscription", number, moment),
        "items": {"object": "list", "data": [item], "has_more": False, "url": "/v1/items"},
        "start_date": int(moment.timestamp()),
        "status": "canceled" if number % 2 else "active",
    }


def _object(prefix: str, kind: str, number: int, moment: datetime) -> dict[str, Any]:
    identified = {"id": f"{prefix}_{number:04}", "object": kind, "livemode": False}
    return {**identified, "created": int(moment.timestamp()), "metadata": {"order": str(number)}}


OBJECTS = {
    "charges": charge,
    "refunds": refund,
    "balance_transactions": balance_transaction,
    "invoices": invoice,
    "customers": customer,
    "subscriptions": subscription,
}
CHANGES: dict[str, dict[str, Any]] = {
    "charges": {"amount_refunded": 100},
    "refunds": {"status": "succeeded"},
    "balance_transactions": {"status": "available"},
    "invoices": {"status": "paid"},
    "customers": {"name": "Grace", "metadata": {}},
    "subscriptions": {"status": "canceled"},
}
