"""Header lines: those of requests as libcurl sends them, and those of answers as they arrive."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import requests

from analytics_assets.extract.http.errors import ApiError

DEFAULT_HEADERS = (b"accept", b"content-type", b"expect", b"user-agent")  # of libcurl
SENT_BY_LIBCURL = ("content-length", "transfer-encoding", "cookie")  # from its own options


def request_lines(request: requests.PreparedRequest) -> list[bytes]:
    """Return the header lines of a request; its libcurl defaults are removed unless it has them.

    Raises:
        ApiError: a header cannot be sent.
    """
    return _lines_of(tuple(request.headers.items()))


@lru_cache(maxsize=64)  # the requests of a read have the same
def _lines_of(given: tuple[tuple[str, str | bytes], ...]) -> list[bytes]:
    headers = {name.lower(): (name, value) for name, value in given}
    lines = [_line(*each) for key, each in headers.items() if key not in SENT_BY_LIBCURL]
    return lines + [b"%s:" % name for name in DEFAULT_HEADERS if name.decode() not in headers]


def _line(name: str, value: str | bytes) -> bytes:
    encoded = header_value(name, value)
    # a semicolon makes libcurl send an empty header
    return name.encode("latin-1") + (b": " + encoded if encoded else b";")


def header_value(name: str, value: str | bytes) -> bytes:
    """Return the bytes of a header's value.

    Raises:
        ApiError: it cannot be sent.
    """
    try:
        encoded = value if isinstance(value, bytes) else value.encode("latin-1")
    except UnicodeEncodeError:
        encoded = b"\n"
    if b"\n" in encoded or b"\r" in encoded:
        raise ApiError(f"The header `{name}` of a request has a character that no header can have.")
    return encoded


class Headers(Mapping[str, str]):
    """The headers of an answer by any case of their names; requests' own take ten times as long.

    Args:
        lines: as they arrived; of several answers, as `100 Continue`, the last one counts.

    Attributes:
        reason: the phrase beside the status.
    """

    __slots__ = ("_fields", "reason")

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.reason = ""
        self._fields: dict[str, tuple[str, str]] = {}
        for key, name, value in filter(None, map(_parsed, lines)):
            if not key:
                self.reason, self._fields = value, {}
            elif key in self._fields:
                self._fields[key] = name, f"{self._fields[key][1]}, {value}"
            else:
                self._fields[key] = name, value

    def __getitem__(self, name: str) -> str:
        """Return the value of a header; several are joined by a comma."""
        return self._fields[name.lower()][1]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a header, or the default without it; faster than the inherited."""
        field = self._fields.get(name.lower())
        return default if field is None else field[1]

    def __contains__(self, name: object) -> bool:
        """Return True if there is such a header."""
        return str(name).lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names as they arrived."""
        return iter([name for name, _ in self._fields.values()])

    def __len__(self) -> int:
        """Return the number of headers."""
        return len(self._fields)


@lru_cache(maxsize=256)  # most lines of the pages of a read are the same
def _parsed(line: bytes) -> tuple[str, str, str] | None:
    """Return key, name and value of a header; of a status line, its reason and no name."""
    text = line.decode("latin-1").strip()
    if text.startswith("HTTP/"):
        return "", "", text.partition(" ")[2].partition(" ")[2]
    name, colon, value = text.partition(":")
    return (name.lower(), name, value.strip()) if colon else None
