"""An API of forty orders, two on a page, and reads with all requests in flight that may be."""

from typing import Any

from analytics_assets_tests.support.paged_server import Answer, Answers, Request, rows

MAX_IN_FLIGHT = 16
NUMBERS = range(40)
ALL = rows(*NUMBERS)
IN_BODY = {"offset_body_path": "page.offset", "limit_body_path": "page.limit"}
Kind = dict[str, Any]


def position(asked: Request) -> int:
    in_body = (asked.body or {}).get("page", {})
    number = asked.number("page", default=-1)
    return (2 * number if number >= 0 else 0) or asked.number("offset") or in_body.get("offset", 0)


def two_per_page(with_total: bool = True) -> Answers:
    def answer(asked: Request) -> Answer:
        start = position(asked)
        found = {"data": ALL[start : start + 2], "pages": len(ALL) // 2}
        return Answer({**found, "total": len(ALL)} if with_total else found)

    return answer


KINDS: dict[str, Kind] = {
    "offset": {},
    "offset from another position": {"paginator": {"type": "offset", "limit": 2, "offset": 10}},
    "offset up to a position": {"paginator": {"type": "offset", "limit": 2, "maximum_offset": 20}},
    "offset in the body": {
        "method": "POST",
        "json": {"q": 1},
        "paginator": {"type": "offset", "limit": 2, **IN_BODY},
    },
    "page": {"paginator": {"type": "page_number", "total_path": None}},
    "page of a known number": {"paginator": {"type": "page_number", "total_path": "pages"}},
}
