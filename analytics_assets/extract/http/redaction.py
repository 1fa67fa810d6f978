"""Redaction of secrets in texts for errors and logs."""

import json
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

Redact = Callable[[str], str]
MIN_LENGTH = 4  # of a secret: removing a shorter one would make messages unreadable


class Redactor:
    """Removes known secrets from texts, in each of their spellings.

    Args:
        secrets: the secrets that are known from the start.

    Example:
        >>> redact = Redactor(["pass/word"])
        >>> redact("client_secret=pass%2Fword was refused")
        'client_secret=*** was refused'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
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
            # the longest first: one spelling may be a part of another
            self._spellings = sorted({*self._spellings, *spellings}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return `text` with three stars for each secret in it."""
        for spelling in self._spellings:
            text = text.replace(spelling, "***")
        return text
