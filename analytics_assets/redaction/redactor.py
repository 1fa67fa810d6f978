"""The redactor of the process: removes the secrets that it knows from texts."""

import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from analytics_assets.redaction.log_records import redact_log_records
from analytics_assets.redaction.names import is_secret, is_word
from analytics_assets.redaction.spellings import MIN_LENGTH, shortest_cut, spellings_of

MASK = "***"
# RFC 3986 section 3.2.1; a password may be written with characters that it does not allow
USER_INFO = re.compile(r"(?<=://)[^/?#\s\"'<>]*@(?=[\w.\[-])")
MOST_KNOWN = 2000  # secrets; those of a configuration are added again with each connection
NEWEST = 16  # issued secrets that are known of one endpoint: those of requests under way


class _Forms(NamedTuple):
    """The spellings of all secrets, by the way in which a text is searched for them."""

    whole: list[str]  # the longest first: one may be a part of another
    words: list[str]
    starts: dict[str, list[str]]  # the spellings by their shortest start
    ends: dict[str, list[str]]  # the same backwards

    @classmethod
    def of(cls, spellings: Mapping[str, set[str]]) -> "_Forms":
        words = sorted(filter(is_word, spellings), key=len, reverse=True)
        found = {each for secret in spellings for each in spellings[secret]}
        forms = cls(sorted(found - set(words), key=len, reverse=True), words, {}, {})
        for spelling in found:
            if start := shortest_cut(spelling):
                forms.starts.setdefault(start, []).append(spelling)
            if end := shortest_cut(spelling, is_end=True):
                forms.ends.setdefault(end[::-1], []).append(spelling[::-1])
        return forms


class Redactor:
    """Removes known secrets from texts, in each of their spellings, also cut; for several threads.

    User name and password of a URL are removed whether they are known or not.

    Args:
        secrets: the secrets that are known from the start.

    Example:
        >>> redact = Redactor(["pass/word"])
        >>> redact("client_secret=pass%2Fword was refused")
        'client_secret=*** was refused'
        >>> redact("http://me:unknown@example.com")
        'http://***@example.com'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.RLock()  # a signal may log within it
        self._spellings: dict[str, set[str]] = {}  # by secret, in the order of their last use
        self._forms: _Forms | None = None  # until a secret is added
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Remove a secret from now on, until `MOST_KNOWN` others have been added."""
        if len(secret) < MIN_LENGTH:
            return
        with self._lock:
            if secret in self._spellings:
                self._spellings[secret] = self._spellings.pop(secret)
                return
            self._spellings[secret] = spellings_of(secret)
            if len(self._spellings) > MOST_KNOWN:
                del self._spellings[next(iter(self._spellings))]
            self._forms = None

    def __contains__(self, secret: object) -> bool:
        """Return True for a secret that it knows."""
        return secret in self._spellings

    def discard(self, secret: str) -> None:
        """Forget a secret."""
        with self._lock:
            self._spellings.pop(secret, None)
            self._forms = None

    def clear(self) -> None:
        """Forget all secrets."""
        with self._lock:
            self._spellings.clear()
            self._forms = None

    def add_url(self, url: str) -> None:
        """Remove what is secret of a URL: its password, and parameters with the name of a secret.

        A user name of HTTP that has no password, or a filler, is a key. A password that is a name
        in the URL, as that of the user, is none: all texts with the name would lose it.
        """
        try:
            parts = urlsplit(url)
            names = {parts.scheme, parts.hostname, parts.path.strip("/")}
        except ValueError:  # a bad IPv6 address
            return
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        found = [value for name, value in pairs if is_secret(name, value)]
        if password and password not in {user, *names}:
            found.append(password)
        is_filled = len(password) < MIN_LENGTH  # with nothing, or with a filler
        if is_filled and not is_word(user) and parts.scheme.startswith("http"):
            found.append(user)
        for value in {*found, *map(unquote, found)}:
            self.add(value)

    def __call__(self, text: str) -> str:
        """Return `text` with three stars for each secret in it."""
        if "@" in text:
            text = USER_INFO.sub(f"{MASK}@", text)
        forms = self._forms
        if forms is None:
            with self._lock:
                forms = self._forms = _Forms.of(self._spellings)
        for spelling in forms.whole:
            text = text.replace(spelling, MASK)
        for word in forms.words:
            if word in text:
                text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MASK, text)
        text = _without_cut(text, forms.starts)
        return _without_cut(text[::-1], forms.ends)[::-1] if forms.ends else text

    def all_of(self, value: Any) -> Any:
        """Return a value of JSON with three stars for each secret in its texts."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self.all_of(key): self.all_of(each) for key, each in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.all_of(each) for each in value)
        return value


class IssuedSecrets:
    """The newest secrets that an endpoint has issued; the redactor forgets the ones before.

    Args:
        redactor: knows them.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lock = threading.Lock()
        self._newest = deque[str]()

    def add(self, secret: str) -> None:
        """Remove a secret from texts, until `NEWEST` others have been added."""
        with self._lock:
            if secret in self._redactor:  # perhaps as one of the configuration, which stays
                return
            self._redactor.add(secret)
            self._newest.append(secret)
            if len(self._newest) > NEWEST:
                self._redactor.discard(self._newest.popleft())


def _without_cut(text: str, starts: Mapping[str, Sequence[str]]) -> str:
    """Replace what begins like a secret, up to the first character that differs."""
    for start, spellings in starts.items():
        kept, after = list[str](), 0
        while (at := text.find(start, after)) >= 0:
            kept += [text[after:at], MASK]
            after = at + max(_alike(each, text[at : at + len(each)]) for each in spellings)
        text = "".join([*kept, text[after:]]) if kept else text
    return text


def _alike(one: str, other: str) -> int:
    """Return the number of characters up to the first that differs."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, its) in pairs if mine != its), min(len(one), len(other)))


redact = Redactor()  # of this process
redact_log_records(redact)
