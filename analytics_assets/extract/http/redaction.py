"""Secrets taken out of texts, before a text reaches an error or a log."""

import json
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

Redact = Callable[[str], str]
SHORTEST_SECRET = 4  # blotting out less than this would make messages unreadable


class Redactor:
    """Blots out every secret that it has been told, in each of the spellings it may come back in.

    Args:
        secrets: those known from the start.

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
        """Blot out `secret` from now on: as it is, in a URL, in a form, and in JSON."""
        if len(secret) >= SHORTEST_SECRET:
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
