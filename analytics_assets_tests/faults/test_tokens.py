"""Faults of the token endpoint, and tokens that die early."""

from analytics_assets_tests.faults.conftest import Trial
from analytics_assets_tests.faults.fault import FAILED, Fault, Row, row
from analytics_assets_tests.faults.parametrized import each
from analytics_assets_tests.faults.tricks import (
    always,
    at_token,
    body,
    delayed,
    nothing,
    silence,
    status,
    token_answer,
)


def many(rows: list[Row]) -> list[Row]:
    """Let the API have eight pages more."""
    return [*rows, *(row(number) for number in range(1000, 1800))]


IMPATIENT = {"RUNTIME__REQUEST_TIMEOUT": "0.3"}
REFUSED = {"error": "invalid_client"}

FAULTS = [
    Fault("token endpoint slow", at_token(delayed(0.5))),
    Fault("token endpoint down for a while", at_token(status(503), times=2)),
    Fault("token endpoint down for ever", at_token(status(503)), FAILED, "token endpoint"),
    Fault("token endpoint closes the connection once", at_token(nothing, times=1)),
    Fault("token endpoint closes the connection", at_token(nothing), FAILED, "token endpoint"),
    Fault(
        "token endpoint stalled", at_token(silence), FAILED, "token endpoint", settings=IMPATIENT
    ),
    Fault("client refused", at_token(status(401, REFUSED)), FAILED, "invalid_client"),
    Fault("token endpoint answers HTML", at_token(body(b"<html>")), FAILED, "token endpoint"),
    Fault("answer without a token", at_token(body({"ok": True})), FAILED, "access_token"),
    Fault("answer without expires_in", at_token(token_answer({}))),
    Fault("expires_in null", at_token(token_answer({"expires_in": None}))),
    Fault("expires_in that is no number", at_token(token_answer({"expires_in": "soon"}))),
    Fault("expires_in negative", at_token(token_answer({"expires_in": -1}))),
    Fault(
        "expires_in says 3600, the token dies after 0.3 s",
        always(delayed(0.1), None),
        token_lifetime=0.3,
        stated_lifetime=3600,
        rows=many,
    ),
    Fault(
        "tokens live 0.5 s, the sync takes longer",
        always(delayed(0.15), None),
        token_lifetime=0.5,
        rows=many,
    ),
    Fault(
        "tokens live 2 s, the sync takes longer than several",
        always(delayed(0.8), None),
        token_lifetime=2,
        rows=many,
        slow=True,
    ),
    Fault("every token dies at once", None, FAILED, "401", token_lifetime=0),
]


@each(FAULTS)
def test_no_green_run_leaves_a_wrong_table(fault: Fault, trial: Trial) -> None:
    trial(fault)
