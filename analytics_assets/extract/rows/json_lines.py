"""Bodies of JSON lines: an object on each line, as exports have them (https://jsonlines.org)."""

from dataclasses import replace

from analytics_assets.config.text.excerpts import printable
from analytics_assets.extract.http.page import Page
from analytics_assets.redaction.redactor import redact

# https://github.com/wardi/jsonlines/issues/19; none of them is registered
MEDIA_TYPES = frozenset(
    f"application/{name}"
    for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "json-lines")
)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SHOWN = 200  # characters of a line that is no object


class LineError(ValueError):
    """A line is no object of JSON; its text ends a sentence."""


def has_lines(page: Page) -> bool:
    """Return True if a page says that its body has JSON lines."""
    media_type = page.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media_type in MEDIA_TYPES


def as_list(page: Page) -> Page:
    """Return a page whose body is the list of the objects on its lines.

    Args:
        page: a page; an empty body has no objects.

    Raises:
        LineError: a line is no object, such as a message that ends an export early.
    """
    lines = page.content.removeprefix(BYTE_ORDER_MARK).splitlines()
    objects = []
    for number, line in enumerate(lines, start=1):
        if not (line := line.strip()):
            continue
        if not (line.startswith(b"{") and line.endswith(b"}")):
            raise LineError(f"a line that is no object, {_described(line)} (line {number})")
        objects.append(line)
    return replace(page, content=b"[%s]" % b",".join(objects))


def _described(line: bytes) -> str:
    """Return a line that is no part of an object, which may have personal data."""
    if line.startswith(b"{"):
        return "but the beginning of one"
    return printable(redact(line.decode("utf-8", "replace")))[:SHOWN]
