"""APIs that page in different ways."""

from collections.abc import Callable
from typing import Any

from analytics_assets_tests.support.paged_server import Answer, Answers, Request

ROWS: list[dict[str, Any]] = [
    {
        "id": number,
        "kind": "order",
        "date": f"2026-01-{number % 31 + 1:02}",
        "updated_at": f"2026-01-{number % 31 + 1:02}T00:00:00Z",
    }
    for number in range(250)
]
CAP = 100  # rows of a page, at most and by default

Body = Callable[[list[Any], int, int], dict[str, Any]]


def total(rows: list[Any], _start: int, _end: int) -> dict[str, Any]:
    return {"data": rows, "total": len(ROWS)}


def bare(rows: list[Any], _start: int, _end: int) -> dict[str, Any]:
    return {"data": rows}


def page_total(rows: list[Any], _start: int, _end: int) -> dict[str, Any]:
    return {"data": rows, "total": len(rows)}


def flag(rows: list[Any], _start: int, end: int) -> dict[str, Any]:
    return {"data": rows, "has_more": end < len(ROWS)}


def cursor(rows: list[Any], _start: int, end: int) -> dict[str, Any]:
    return {"data": rows, "next_cursor": f"c{end}" if end < len(ROWS) else None}


def links(rows: list[Any], start: int, end: int) -> dict[str, Any]:
    following = f"/orders?offset={end}" if end < len(ROWS) else None
    return {"data": rows, "links": {"self": f"/orders?offset={start}", "next": following}}


def by_offset(body: Body, name: str = "offset", size: str = "limit", cap: int = CAP) -> Answers:
    """An API that pages by a number of rows."""

    def answer(asked: Request) -> Answer:
        start = asked.number(name)
        end = start + min(cap, asked.number(size, cap))
        return Answer(body(ROWS[start:end], start, end))

    return answer


def by_page(body: Body, base: int = 1, name: str = "page") -> Answers:
    """An API that pages by number, and takes a page before its first one for the first one."""

    def answer(asked: Request) -> Answer:
        start = max(0, asked.number(name, base) - base) * CAP
        return Answer(body(ROWS[start : start + CAP], start, start + CAP))

    return answer


def by_cursor(body: Body, name: str = "cursor") -> Answers:
    """An API that pages by a token."""

    def answer(asked: Request) -> Answer:
        start = int(asked.query.get(name, "c0")[1:])
        return Answer(body(ROWS[start : start + CAP], start, start + CAP))

    return answer


def by_body(asked: Request) -> Answer:
    """An API that pages by its JSON body, and ignores the query."""
    start = int((asked.body or {}).get("offset", 0))
    return Answer(total(ROWS[start : start + CAP], start, start + CAP))


def by_change(name: str) -> Answers:
    """An API that heeds one parameter for changes."""

    def answer(asked: Request) -> Answer:
        found = [row for row in ROWS if row["updated_at"] >= asked.query.get(name, "")]
        start = asked.number("offset")
        return Answer({"data": found[start : start + CAP], "total": len(found)})

    return answer
