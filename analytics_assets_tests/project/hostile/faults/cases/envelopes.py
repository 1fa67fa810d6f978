"""Faults of what stands around the rows: no rows, rows of a wrong type, errors under 200."""

from typing import Any

from analytics_assets_tests.project.hostile.faults.case import FAILED, Case, row
from analytics_assets_tests.project.hostile.faults.visits import always, once
from analytics_assets_tests.support.http.broken_answers import page
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.http.fault import Does

ERROR = {"error": {"code": "backend_error", "message": "try again"}}


def data(value: Any) -> Does:
    """Answer with something else in place of the rows."""
    return page(lambda proper: {**proper, "data": value})


without_data = page(lambda proper: {"total": proper["total"]})
error_beside_no_rows = page(lambda proper: {**proper, **ERROR, "data": []})


def left_out(exchange: Exchange) -> None:
    """Leave an empty list out, as Google's JSON does, and the total."""
    rows = exchange.page["data"]
    exchange.reply({"kind": "report", **({"data": rows} if rows else {})})


CASES = [
    Case("an empty list is left out, no total", always(left_out, None)),
    Case(
        "no rows: `data` null, total 0",
        always(page(lambda _: {"data": None, "total": 0}), None),
        rows=lambda _: [],
        first=True,
    ),
    Case(
        "no rows: nothing but `rowCount` 0",
        always(page(lambda _: {"rowCount": 0}), None),
        rows=lambda _: [],
        first=True,
    ),
    Case("`rowCount` 0 beside a total", always(body={"rowCount": 0, "total": 250}), FAILED, "data"),
    Case("`data` missing on page 3, once", once(without_data)),
    Case("`data` missing on page 3, for ever", always(without_data), FAILED, "data"),
    Case("`data` missing on page 1, for ever", always(without_data, 0), FAILED, "data"),
    Case("`data` null on page 3, once", once(data(None))),
    Case("`data` null on page 3, for ever", always(data(None)), FAILED, "data"),
    Case("`data` null on page 1, for ever", always(data(None), 0), FAILED, "data"),
    Case("`data` an object on page 3, once", once(data({"rows": []}))),
    Case("`data` an object on page 3, for ever", always(data(row(1))), FAILED, "data"),
    Case("`data` a string on page 3, once", once(data("none"))),
    Case("`data` a string on page 3, for ever", always(data("none")), FAILED, "data"),
    Case("body null on page 3, once", once(body=b"null")),
    Case("body null on page 3, for ever", always(body=b"null"), FAILED),
    Case("body a bare list on page 3, once", once(body=[])),
    Case("body a bare list on page 3, for ever", always(body=[]), FAILED),
    Case("error object under 200, once", once(body=ERROR)),
    Case("error object under 200, for ever", always(body=ERROR), FAILED, "backend_error"),
    Case("error object beside no rows, once", once(error_beside_no_rows)),
    Case(
        "error object beside no rows, for ever",
        always(error_beside_no_rows),
        FAILED,
        "backend_error",
    ),
    Case(
        "error object beside no rows and total 0 on page 1",
        always(offset=0, body={**ERROR, "data": [], "total": 0}),
        FAILED,
        "backend_error",
    ),
    Case("empty page before the total, once", once(data([]))),
    Case("empty page before the total, for ever", always(data([])), FAILED, "250"),
    Case("empty first page before the total, for ever", always(data([]), 0), FAILED, "250"),
]
