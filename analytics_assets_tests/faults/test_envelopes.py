"""Faults of what stands around the rows: no rows, rows of a wrong type, errors under 200."""

from typing import Any

from analytics_assets_tests.faults.conftest import Trial
from analytics_assets_tests.faults.fault import FAILED, Fault, row
from analytics_assets_tests.faults.parametrized import each
from analytics_assets_tests.faults.server import Does
from analytics_assets_tests.faults.tricks import always, body, once, page

ERROR = {"error": {"code": "backend_error", "message": "try again"}}


def data(value: Any) -> Does:
    """Answer with something else in place of the rows."""
    return page(lambda honest: {**honest, "data": value})


without_data = page(lambda honest: {"total": honest["total"]})
error_beside_no_rows = page(lambda honest: {**honest, **ERROR, "data": []})

FAULTS = [
    Fault("`data` missing on page 3, once", once(without_data)),
    Fault("`data` missing on page 3, for ever", always(without_data), FAILED, "data"),
    Fault("`data` missing on page 1, for ever", always(without_data, 0), FAILED, "data"),
    Fault("`data` null on page 3, once", once(data(None))),
    Fault("`data` null on page 3, for ever", always(data(None)), FAILED, "data"),
    Fault("`data` null on page 1, for ever", always(data(None), 0), FAILED, "data"),
    Fault("`data` an object on page 3, once", once(data({"rows": []}))),
    Fault("`data` an object on page 3, for ever", always(data(row(1))), FAILED, "data"),
    Fault("`data` a string on page 3, once", once(data("none"))),
    Fault("`data` a string on page 3, for ever", always(data("none")), FAILED, "data"),
    Fault("body null on page 3, once", once(body(None))),
    Fault("body null on page 3, for ever", always(body(None)), FAILED),
    Fault("body a bare list on page 3, once", once(body([]))),
    Fault("body a bare list on page 3, for ever", always(body([])), FAILED),
    Fault("error object under 200, once", once(body(ERROR))),
    Fault("error object under 200, for ever", always(body(ERROR)), FAILED, "backend_error"),
    Fault("error object beside no rows, once", once(error_beside_no_rows)),
    Fault(
        "error object beside no rows, for ever",
        always(error_beside_no_rows),
        FAILED,
        "backend_error",
    ),
    Fault(
        "error object beside no rows and total 0 on page 1",
        always(body({**ERROR, "data": [], "total": 0}), 0),
        FAILED,
        "backend_error",
    ),
    Fault("empty page before the total, once", once(data([]))),
    Fault("empty page before the total, for ever", always(data([])), FAILED, "250"),
    Fault("empty first page before the total, for ever", always(data([]), 0), FAILED, "250"),
]


@each(FAULTS)
def test_no_green_run_leaves_a_wrong_table(fault: Fault, trial: Trial) -> None:
    trial(fault)
