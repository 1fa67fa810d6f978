"""Errors whose texts or tracebacks have a secret, replaced by one that has none."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from analytics_assets.redaction.redactor import redact


class RedactedError(Exception):
    """Stands for an error with a secret; its text has the traceback without it."""


def redacted(error: Exception) -> Exception:
    """Return an error that can be shown: itself, or one without the secrets that it has.

    A traceback has the lines of the code, so that a secret in `api.py` shows in it; an error of a
    package may quote what it was given.
    """
    shown = "".join(traceback.format_exception(error))
    if redact(shown) == shown:
        return error
    text = "".join(traceback.format_exception_only(error)).strip()
    return RedactedError(f"{redact(text)}\n\n{redact(shown)}")


@contextmanager
def errors_redacted() -> Iterator[None]:
    """Raise an error without the secrets that it has, in place of one with some."""
    try:
        yield
    except Exception as error:
        shown = redacted(error)
        if shown is error:
            raise
        raise shown from None
