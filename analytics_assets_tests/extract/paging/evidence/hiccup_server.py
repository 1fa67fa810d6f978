"""An API of 1,050 rows, a hundred on a page, whose fifth page is empty once, or for ever."""

from collections.abc import Callable
from typing import Any

from analytics_assets_tests.support.paged_server import Answer, Answers, Request, rows

ROWS = rows(*range(1050))
SIZE = 100
PAGES = 11
FIFTH = 400

Fields = Callable[[int, int], dict[str, Any]]  # the offset and the number of rows of a page
Kind = dict[str, Any]

OFFSET: Kind = {"type": "offset", "limit": SIZE, "total_path": None}
BY_NUMBER: Kind = {"type": "page_number", "base_page": 1, "total_path": None}
JSON_LINK: Kind = {"type": "json_link", "next_url_path": "next"}
CURSOR: Kind = {"type": "cursor", "cursor_path": "after", "cursor_param": "offset"}


def offset_of(asked: Request) -> int:
    number = asked.number("page", default=0)
    return (number - 1) * SIZE if number else asked.number("offset")


def after(offset: int) -> int | None:
    return offset + SIZE if offset + SIZE < len(ROWS) else None


def link(offset: int, _rows: int = 0) -> dict[str, Any]:
    """A link to the next page."""
    return {"next": None if after(offset) is None else f"/orders?offset={after(offset)}"}


def cursor(offset: int, _rows: int = 0) -> dict[str, Any]:
    """A cursor for the next page."""
    return {"after": after(offset)}


def pages(offset: int, _rows: int) -> dict[str, Any]:
    """The number of the page and of all pages."""
    return {"page": offset // SIZE + 1, "pages": PAGES}


def count(name: str) -> Fields:
    """The number of all rows, by some name."""
    return lambda _offset, _rows: {name: len(ROWS)}


def both(*parts: Fields) -> Fields:
    """The fields of several."""
    return lambda offset, found: {k: v for part in parts for k, v in part(offset, found).items()}


def hiccup(
    fields: Fields, times: int = 1, headers: Callable[[int], dict[str, str]] = lambda _: {}
) -> Answers:
    """An API whose fifth page is empty some times."""
    left = [times]

    def answer(asked: Request) -> Answer:
        offset = offset_of(asked)
        found = ROWS[offset : offset + SIZE]
        if offset == FIFTH and left[0]:
            left[0] -= 1
            found = []
        return Answer({"data": found, **fields(offset, len(found))}, headers=headers(offset))

    return answer


def link_header(offset: int) -> dict[str, str]:
    """The header `Link` to the next page."""
    following = after(offset)
    return {} if following is None else {"Link": f'</orders?offset={following}>; rel="next"'}
