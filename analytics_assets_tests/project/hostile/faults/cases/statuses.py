"""Statuses other than 200."""

from analytics_assets_tests.project.hostile.faults.case import FAILED, Case
from analytics_assets_tests.project.hostile.faults.visits import always, once
from analytics_assets_tests.support.http.broken_answers import redirect

CASES = [
    Case("429 with Retry-After, once", once(status=429, retry_after="1")),
    Case("429 without Retry-After, once", once(status=429)),
    Case("429 with Retry-After, for ever", always(status=429, retry_after="0"), FAILED, "429"),
    Case("429 without Retry-After, for ever", always(status=429), FAILED, "429"),
    Case("500 once", once(status=500)),
    Case("500 for ever", always(status=500), FAILED, "500"),
    Case("502 once", once(status=502)),
    Case("502 for ever", always(status=502), FAILED, "502"),
    Case("503 once", once(status=503)),
    Case("503 for ever", always(status=503), FAILED, "503"),
    Case("503 for ever, from the first page", always(status=503, offset=None), FAILED, "503"),
    Case("504 once", once(status=504)),
    Case("504 for ever", always(status=504), FAILED, "504"),
    Case("408 once", once(status=408), FAILED, "408"),
    Case("408 for ever", always(status=408), FAILED, "408"),
    Case("401 once in the middle", once(status=401)),
    Case("401 for ever from the middle", always(status=401), FAILED, "401"),
    Case("403 in the middle", always(status=403), FAILED, "403"),
    Case("404 in the middle", always(status=404), FAILED, "404"),
    Case("204 once", once(status=204)),
    Case("204 for ever", always(status=204), FAILED, "204"),
    Case("304 once", once(status=304)),
    Case("304 for ever", always(status=304), FAILED, "304"),
    Case("redirect in the middle of paging", once(redirect, path="*")),
    Case("redirect to itself for ever", always(redirect, path="*"), FAILED, "redirect"),
]
