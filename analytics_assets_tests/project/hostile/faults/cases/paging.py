"""Faults of paging: servers that cap, ignore or miscount, and rows that move while being read."""

import random
from collections.abc import Callable
from typing import Any

from analytics_assets_tests.project.hostile.faults.case import EITHER, FAILED, Case, Row, row
from analytics_assets_tests.project.hostile.faults.visits import PATH, always, once, rows
from analytics_assets_tests.support.http.broken_answers import page
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.http.fault import Does

TOTAL = "total"


def total(change: Callable[[int], Any]) -> Does:
    """Answer with another total."""
    return page(lambda proper: {**proper, TOTAL: change(proper[TOTAL])})


def without_total(proper: dict[str, Any]) -> dict[str, Any]:
    return {"data": proper["data"]}


def capped(exchange: Exchange) -> None:
    """Answer with fifty rows at most and ignore `limit`."""
    exchange.reply({**exchange.page, "data": exchange.page["data"][:50]})


def capped_without_total(exchange: Exchange) -> None:
    exchange.reply({"data": exchange.page["data"][:50]})


def first_page(exchange: Exchange) -> None:
    """Answer with the first page and ignore `offset`."""
    exchange.reply({"data": exchange.server.rows[:100], TOTAL: len(exchange.server.rows)})


def first_page_without_total(exchange: Exchange) -> None:
    exchange.reply({"data": exchange.server.rows[:100]})


def all_rows(exchange: Exchange) -> None:
    """Answer with all rows and ignore `limit` and `offset`."""
    exchange.reply({"data": exchange.server.rows, TOTAL: len(exchange.server.rows)})


def shuffled(exchange: Exchange) -> None:
    """Sort each page's rows anew, as an API does by a column with many equal values."""
    deal(exchange, random.Random(exchange.request.number("offset")))


def shuffled_anew(exchange: Exchange) -> None:
    """Sort the rows anew for each request."""
    deal(exchange, random.Random(len(exchange.server.requests)))


def deal(exchange: Exchange, chance: random.Random) -> None:
    offset = exchange.request.number("offset")
    mixed = chance.sample(exchange.server.rows, len(exchange.server.rows))
    dealt = mixed[offset : offset + 100]
    exchange.reply({"data": dealt, TOTAL: len(mixed)})


def one_missing(exchange: Exchange) -> None:
    """Leave out the new row of the first page, and count it."""
    rows = exchange.page["data"]
    exchange.reply({**exchange.page, "data": rows[:50] + rows[51:]})


def add_first(api_rows: list[Row]) -> None:
    """Add a row before all others, with a key of its own each time."""
    api_rows.insert(0, row(2000 + len(api_rows)))


def delete_read(api_rows: list[Row]) -> None:
    """Delete a row of the first page that the table does not have yet."""
    del api_rows[50]


def delete_read_add_last(api_rows: list[Row]) -> None:
    del api_rows[50]
    api_rows.append(row(3000))


def delete_unread_add_first(api_rows: list[Row]) -> None:
    del api_rows[-1]
    add_first(api_rows)


def described(fields: Callable[[int, int, int], dict[str, Any]], empty: int = 0) -> Does:
    """Describe pages by other fields than a total; the one at 100 is empty some times.

    Args:
        fields: makes them of the offset, the number of rows on the page and that of all rows.
        empty: the number of times.
    """

    def does(exchange: Exchange) -> None:
        offset, data = exchange.request.number("offset"), exchange.page["data"]
        visits = [each.number("offset") for each in exchange.server.requests]
        if offset == 100 and visits.count(100) <= empty:
            data = []
        exchange.reply({"data": data, **fields(offset, len(data), len(exchange.server.rows))})

    return does


def nothing(*_: int) -> dict[str, Any]:
    return {}


def counted(_offset: int, _rows: int, all_rows: int) -> dict[str, Any]:
    return {"count": all_rows}


def linked(offset: int, _rows: int, all_rows: int) -> dict[str, Any]:
    return {"next": f"{PATH}?offset={offset + 100}" if offset + 100 < all_rows else None}


CASES = [
    Case("page 2 empty once, no total", always(described(nothing, 1), None)),
    Case("page 2 empty once, `count` beside it", always(described(counted, 1), None)),
    Case("page 2 empty, `count` beside it", always(described(counted, 9), None), FAILED, "count"),
    Case("page 2 empty, a link beside it", always(described(linked, 9), None), FAILED, "empty"),
    Case(
        "`count` is the number of rows on the page, no total",
        always(described(lambda _offset, rows, _all: {"count": rows}), None),
    ),
    Case(
        "`count` is the most rows of a page, no total",
        always(described(lambda *_: {"count": 100}), None),
    ),
    Case(
        "a link to a next page on each page, no total",
        always(described(lambda offset, *_: {"next": f"{PATH}?offset={offset + 100}"}), None),
    ),
    Case("page cap below limit", always(capped, None), EITHER),
    Case("page cap below limit, no total", always(capped_without_total, None), EITHER),
    Case("total missing", always(page(without_total), None), EITHER, TOTAL),
    Case("total missing on page 2, once", once(page(without_total), 100), EITHER, TOTAL),
    Case("total null", always(total(lambda _: None), None), EITHER, TOTAL),
    Case("total as text", always(total(str), None)),
    Case("total is no number", always(total(lambda _: "many"), None), EITHER, TOTAL),
    Case("total negative", always(total(lambda _: -1), None), EITHER, TOTAL),
    Case("total too high, once", once(total(lambda count: count + 50)), EITHER, "300"),
    Case("total too high, for ever", always(total(lambda n: n + 50), None), FAILED, "300"),
    Case("total too high by one, for ever", always(total(lambda n: n + 1), None), FAILED, "251"),
    Case("total too low, for ever", always(total(lambda n: n - 50), None), EITHER, "200"),
    Case("total 0 beside rows", always(total(lambda _: 0), None), EITHER, TOTAL),
    Case(
        "total is the number of rows on the page",
        always(page(lambda proper: {**proper, TOTAL: len(proper["data"])}), None),
        EITHER,
        TOTAL,
    ),
    Case("row added between pages, once", once(rows(add_first), 100)),
    Case("row deleted between pages, once", once(rows(delete_read), 100)),
    Case(
        "row deleted, another added behind, once; two passes must agree",
        once(rows(delete_read_add_last), 100),
        settings={"READING__CONFIRM": "true"},
    ),
    Case("row deleted, another added in front, once", once(rows(delete_unread_add_first), 100)),
    Case("row added in every pass", always(rows(add_first), 100), FAILED, TOTAL),
    Case("one row missing in a page, once", once(one_missing, 0)),
    Case("one row missing in a page, for ever", always(one_missing, 0), FAILED, "250"),
    Case("another order for each page", always(shuffled, None), FAILED),
    Case("another order for each request", always(shuffled_anew, None), FAILED),
    Case("`offset` ignored", always(first_page, None), FAILED, "offset", most_requests=10),
    Case(
        "`offset` ignored, no total",
        always(first_page_without_total, None),
        FAILED,
        "offset",
        most_requests=10,
    ),
    Case("`limit` and `offset` ignored, all rows at once", always(all_rows, None)),
    Case("empty resource", rows=lambda _: [], first=True),
    Case("one row", rows=lambda proper: proper[:1], first=True),
    Case("exactly one page", rows=lambda proper: proper[:100], first=True),
    Case("one row more than two pages", rows=lambda proper: proper[:201], first=True),
    Case("503 for ever in the first load", always(status=503), FAILED, "503", first=True),
]
