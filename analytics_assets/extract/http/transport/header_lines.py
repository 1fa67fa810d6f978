"""Header lines: those of requests as libcurl sends them, and those of answers as they arrive."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import requests
from requests.structures import CaseInsensitiveDict

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


def parsed_lines(lines: Iterable[bytes]) -> tuple[str, Mapping[str, str]]:
    """Return reason and headers; of several answers, as `100 Continue`, the last one counts."""
    reason = ""
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if name.startswith("HTTP/"):
            found.clear()
            reason = line.decode("latin-1").strip().partition(" ")[2].partition(" ")[2]
        elif colon:
            key, value = name.lower(), value.strip()
            found[key] = name, f"{found[key][1]}, {value}" if key in found else value
    return reason, CaseInsensitiveDict(found.values())
