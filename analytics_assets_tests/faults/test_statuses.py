"""Faults that an API tells by a status."""

from analytics_assets_tests.faults.conftest import Trial
from analytics_assets_tests.faults.fault import FAILED, Fault
from analytics_assets_tests.faults.parametrized import each
from analytics_assets_tests.faults.tricks import always, once, redirect, status

FAULTS = [
    Fault("429 with Retry-After, once", once(status(429, Retry_After="1"))),
    Fault("429 without Retry-After, once", once(status(429))),
    Fault("429 with Retry-After, for ever", always(status(429, Retry_After="0")), FAILED, "429"),
    Fault("429 without Retry-After, for ever", always(status(429)), FAILED, "429"),
    Fault("500 once", once(status(500))),
    Fault("500 for ever", always(status(500)), FAILED, "500"),
    Fault("502 once", once(status(502))),
    Fault("502 for ever", always(status(502)), FAILED, "502"),
    Fault("503 once", once(status(503))),
    Fault("503 for ever", always(status(503)), FAILED, "503"),
    Fault("503 for ever, from the first page", always(status(503), None), FAILED, "503"),
    Fault("504 once", once(status(504))),
    Fault("504 for ever", always(status(504)), FAILED, "504"),
    Fault("408 once", once(status(408)), FAILED, "408"),
    Fault("408 for ever", always(status(408)), FAILED, "408"),
    Fault("401 once in the middle", once(status(401))),
    Fault("401 for ever from the middle", always(status(401)), FAILED, "401"),
    Fault("403 in the middle", always(status(403)), FAILED, "403"),
    Fault("404 in the middle", always(status(404)), FAILED, "404"),
    Fault("204 once", once(status(204))),
    Fault("204 for ever", always(status(204)), FAILED, "204"),
    Fault("304 once", once(status(304))),
    Fault("304 for ever", always(status(304)), FAILED, "304"),
    Fault("redirect in the middle of paging", once(redirect)),
    Fault("redirect to itself for ever", always(redirect), FAILED, "redirect"),
]


@each(FAULTS)
def test_no_green_run_leaves_a_wrong_table(fault: Fault, trial: Trial) -> None:
    trial(fault)
