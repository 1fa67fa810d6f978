"""Redaction of secrets in texts for errors and logs."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

Redact = Callable[[str], str]
MIN_LENGTH = 4  # of a secret: removing a shorter one would make messages unreadable


class Redactor:
    """Removes known secrets from texts, in each of their spellings; for several threads.

    Args:
        secrets: the secrets that are known from the start.

    Example:
        >>> redact = Redactor(["pass/word"])
        >>> redact("client_secret=pass%2Fword was refused")
        'client_secret=*** was refused'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._spellings: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Remove a secret from now on: as it is, in a URL, in a form, and in JSON."""
        if len(secret) >= MIN_LENGTH:
            spellings = {
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                json.dumps(secret)[1:-1],
            }
            with self._lock:
                # the longest first: one spelling may be a part of another
                self._spellings = sorted({*self._spellings, *spellings}, key=len, reverse=True)

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "Redactor":
        """Return the same object: dlt copies configurations, and a copy would miss later tokens."""
        return self

    def __call__(self, text: str) -> str:
        """Return `text` with three stars for each secret in it."""
        for spelling in self._spellings:
            text = text.replace(spelling, "***")
        return text
