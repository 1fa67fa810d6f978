"""Faults of the token endpoint, and tokens that die early."""

from analytics_assets_tests.project.hostile.faults.case import FAILED, Case, Row, row
from analytics_assets_tests.project.hostile.faults.visits import always, at_token, token_answer
from analytics_assets_tests.support.http.broken_answers import late, silence


def many(rows: list[Row]) -> list[Row]:
    """Add eight pages to the API's rows."""
    return [*rows, *(row(number) for number in range(1000, 1800))]


IMPATIENT = {"RUNTIME__REQUEST_TIMEOUT": "1"}
REFUSED = {"error": "invalid_client"}

CASES = [
    Case("token endpoint slow", at_token(delay=0.5)),
    Case("token endpoint down for a while", at_token(status=503, times=2)),
    Case("token endpoint down for ever", at_token(status=503), FAILED, "token endpoint"),
    Case("token endpoint closes the connection once", at_token(drop=True, times=1)),
    Case("token endpoint closes the connection", at_token(drop=True), FAILED, "token endpoint"),
    Case("token endpoint stalled", at_token(silence), FAILED, "token endpoint", settings=IMPATIENT),
    Case("client refused", at_token(status=401, body=REFUSED), FAILED, "invalid_client"),
    Case("token endpoint answers HTML", at_token(body=b"<html>"), FAILED, "token endpoint"),
    Case("answer without a token", at_token(body={"ok": True}), FAILED, "access_token"),
    Case("answer without expires_in", at_token(token_answer())),
    Case("expires_in null", at_token(token_answer(expires_in=None))),
    Case("expires_in that is no number", at_token(token_answer(expires_in="soon"))),
    Case("expires_in negative", at_token(token_answer(expires_in=-1))),
    Case(
        "expires_in says 3600, the token dies after 0.3 s",
        always(late(0.1), None),
        token_lifetime=0.3,
        stated_lifetime=3600,
        rows=many,
    ),
    Case(
        "tokens live 0.5 s, the sync takes longer",
        always(late(0.15), None),
        token_lifetime=0.5,
        rows=many,
    ),
    Case(
        "tokens live 2 s, the sync takes longer than several",
        always(late(0.8), None),
        token_lifetime=2,
        rows=many,
        slow=True,
    ),
    Case("every token dies at once", None, FAILED, "401", token_lifetime=0),
]
