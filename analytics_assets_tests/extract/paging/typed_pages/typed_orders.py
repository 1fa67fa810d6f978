"""Orders with a contract, on 19 pages and an empty one, and their rows in columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.arrow import is_table
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Request,
    drain,
    orders,
    row,
    serving,
    source_of,
)

PAGE = 5
CONTRACT = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
        Column("amount", "amount", "double", nullable=True),
        Column("at", "at", "timestamp", nullable=True),
    ),
    ("id",),
)
ORDERS = [
    row(number, amount=number / 2, at=f"2026-01-02T03:04:{number % 60:02}+01:00")
    for number in range(95)
]
IN_COLUMNS = [{**each, "at": datetime.fromisoformat(each["at"]).astimezone(UTC)} for each in ORDERS]


@dataclass
class TypedRead:
    """The outcome of a read: the rows, those that were rejected, and the requests."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    error: str = ""

    @property
    def ids(self) -> list[int]:
        return [each["id"] for each in self.rows]


def entry(**extra: Any) -> dict[str, Any]:
    return orders(
        {"write_disposition": "merge", **extra}, paginator={"type": "offset", "limit": PAGE}
    )


def attempted(answers: Answers, given: Mapping[str, Any] | None = None) -> TypedRead:
    """Read `orders` over HTTP as in a load."""
    with serving(answers) as server:
        source = source_of(server, given or entry(), contract=CONTRACT)
        attempt = drain(source.resources["orders"])
    read = TypedRead(requests=server.requests, error=attempt.error)
    for item in attempt.rows:
        if is_table(item):
            read.rows += [_without_dlt(each) for each in item.to_pylist()]
        elif "rejected_at" in item:
            read.rejected.append(item)
        else:
            read.rows.append(item)
    return read


def read(answers: Answers, given: Mapping[str, Any] | None = None) -> TypedRead:
    """Read `orders`; the read must be complete."""
    attempt = attempted(answers, given)
    assert not attempt.error
    return attempt


def changed(
    answers: Answers, change: Callable[[int, Any], Any], places: set[int] | None = None
) -> Answers:
    """An API with some other pages."""

    def answer(asked: Request) -> Answer:
        usual, offset = answers(asked), asked.number("offset")
        if places is not None and offset not in places:
            return usual
        body = change(offset, usual.body)
        return body if isinstance(body, Answer) else Answer(body)

    return answer


def once(answers: Answers, offset: int, other: Answer) -> Answers:
    """An API that answers something else, once, at a place."""
    left = [other]

    def answer(asked: Request) -> Answer:
        if asked.number("offset") == offset and left:
            return left.pop()
        return answers(asked)

    return answer


def _without_dlt(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if not name.startswith("_dlt")}
