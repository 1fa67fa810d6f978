"""Faults of the network: answers that break off, stall or come in pieces."""

from analytics_assets_tests.project.hostile.faults.case import FAILED, Case
from analytics_assets_tests.project.hostile.faults.visits import always, once
from analytics_assets_tests.support.http.broken_answers import (
    broken_chunk,
    broken_gzip,
    cut_json,
    late,
    pieces,
    raw,
    reset,
    reset_in_body,
    silence,
    stall_in_body,
    unfinished_chunks,
    with_length,
)

IMPATIENT = {"RUNTIME__REQUEST_TIMEOUT": "1"}
LOGIN = b"<!doctype html><title>Sign in</title><form>...</form>"

CASES = [
    Case("reset before the answer, once", once(reset)),
    Case("reset before the answer, for ever", always(reset), FAILED, "no complete answer"),
    Case("reset in the body, once", once(reset_in_body)),
    Case("reset in the body, for ever", always(reset_in_body), FAILED, "no complete answer"),
    Case("empty reply once", once(drop=True)),
    Case("empty reply for ever", always(drop=True), FAILED, "no complete answer"),
    Case("Content-Length too long, once", once(with_length(+10))),
    Case("Content-Length too long, for ever", always(with_length(+10)), FAILED, "complete answer"),
    Case("Content-Length too short, once", once(with_length(-10))),
    # the rest of a body may arrive in the place of the next answer on that connection
    Case("Content-Length too short, for ever", always(with_length(-10)), FAILED, "/v1/visits"),
    Case("broken chunk once", once(raw(broken_chunk))),
    Case("broken chunk for ever", always(raw(broken_chunk)), FAILED, "no complete answer"),
    Case("last chunk missing, once", once(raw(unfinished_chunks))),
    Case("last chunk missing, for ever", always(raw(unfinished_chunks)), FAILED, "complete answer"),
    Case("gzip that breaks off, once", once(raw(broken_gzip))),
    Case("gzip that breaks off, for ever", always(raw(broken_gzip)), FAILED),
    Case("JSON cut short, once", once(cut_json())),
    Case("JSON cut short, for ever", always(cut_json()), FAILED, "not JSON"),
    Case("HTML login page under 200, once", once(body=LOGIN, content_type="text/html")),
    Case(
        "HTML login page under 200, for ever",
        always(body=LOGIN, content_type="text/html"),
        FAILED,
        "Sign in",
    ),
    Case("slow drip", once(raw(pieces, pause=0.1)), settings=IMPATIENT),
    Case(
        "slow drip beyond the deadline, for ever",
        always(raw(pieces, pause=0.1)),
        FAILED,
        "request_deadline",
        settings={**IMPATIENT, "RUNTIME__REQUEST_DEADLINE": "0.3"},
    ),
    Case("slow answer within the timeout", always(late(0.2), None), settings=IMPATIENT),
    Case("stalled in the body, once", once(stall_in_body), settings=IMPATIENT),
    Case(
        "stalled in the body, for ever",
        always(stall_in_body),
        FAILED,
        "no complete answer",
        settings=IMPATIENT,
    ),
    Case("stalled before the answer, once", once(silence), settings=IMPATIENT),
    Case(
        "stalled before the answer, for ever",
        always(silence),
        FAILED,
        "no complete answer",
        settings=IMPATIENT,
    ),
]
