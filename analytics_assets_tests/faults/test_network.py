"""Faults of the network: answers that break off, stall or come in pieces."""

from analytics_assets_tests.faults.conftest import Trial
from analytics_assets_tests.faults.fault import FAILED, Fault
from analytics_assets_tests.faults.parametrized import each
from analytics_assets_tests.faults.tricks import (
    always,
    body,
    broken_chunk,
    broken_gzip,
    cut,
    delayed,
    nothing,
    once,
    pieces,
    raw,
    reset,
    reset_in_body,
    silence,
    stall_in_body,
    unfinished_chunks,
    with_length,
)

IMPATIENT = {"RUNTIME__REQUEST_TIMEOUT": "0.3"}
LOGIN = b"<!doctype html><title>Sign in</title><form>...</form>"

FAULTS = [
    Fault("reset before the answer, once", once(reset)),
    Fault("reset before the answer, for ever", always(reset), FAILED, "no whole answer"),
    Fault("reset in the body, once", once(reset_in_body)),
    Fault("reset in the body, for ever", always(reset_in_body), FAILED, "no whole answer"),
    Fault("empty reply once", once(nothing)),
    Fault("empty reply for ever", always(nothing), FAILED, "no whole answer"),
    Fault("Content-Length too long, once", once(with_length(+10))),
    Fault("Content-Length too long, for ever", always(with_length(+10)), FAILED, "whole answer"),
    Fault("Content-Length too short, once", once(with_length(-10))),
    Fault("Content-Length too short, for ever", always(with_length(-10)), FAILED, "not JSON"),
    Fault("broken chunk once", once(raw(broken_chunk))),
    Fault("broken chunk for ever", always(raw(broken_chunk)), FAILED, "no whole answer"),
    Fault("last chunk missing, once", once(raw(unfinished_chunks))),
    Fault("last chunk missing, for ever", always(raw(unfinished_chunks)), FAILED, "whole answer"),
    Fault("gzip that breaks off, once", once(raw(broken_gzip))),
    Fault("gzip that breaks off, for ever", always(raw(broken_gzip)), FAILED),
    Fault("JSON cut short, once", once(cut())),
    Fault("JSON cut short, for ever", always(cut()), FAILED, "not JSON"),
    Fault("HTML login page under 200, once", once(body(LOGIN, Content_Type="text/html"))),
    Fault(
        "HTML login page under 200, for ever",
        always(body(LOGIN, Content_Type="text/html")),
        FAILED,
        "Sign in",
    ),
    Fault("slow drip", once(raw(pieces, pause=0.1)), settings=IMPATIENT),
    Fault(
        "slow drip beyond the deadline, for ever",
        always(raw(pieces, pause=0.1)),
        FAILED,
        "request_deadline",
        settings={**IMPATIENT, "RUNTIME__REQUEST_DEADLINE": "0.3"},
    ),
    Fault("slow answer within the timeout", always(delayed(0.2), None), settings=IMPATIENT),
    Fault("stalled in the body, once", once(stall_in_body), settings=IMPATIENT),
    Fault(
        "stalled in the body, for ever",
        always(stall_in_body),
        FAILED,
        "no whole answer",
        settings=IMPATIENT,
    ),
    Fault("stalled before the answer, once", once(silence), settings=IMPATIENT),
    Fault(
        "stalled before the answer, for ever",
        always(silence),
        FAILED,
        "no whole answer",
        settings=IMPATIENT,
    ),
]


@each(FAULTS)
def test_no_green_run_leaves_a_wrong_table(fault: Fault, trial: Trial) -> None:
    trial(fault)
