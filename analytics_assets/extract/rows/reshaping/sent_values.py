"""Values that a request sends, by their places in it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests

from analytics_assets.config.entry.place import EMPTY, Place
from analytics_assets.config.entry.rows import Origin, last_name
from analytics_assets.config.errors import listed
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.redaction.names import is_secret
from analytics_assets.redaction.redactor import redact


def sent_values(
    fields: Mapping[str, Origin], request: requests.Request, path: str
) -> dict[str, Any]:
    """Return the fields whose values are known before the first answer.

    Args:
        fields: the added fields; those of the body are left out.
        request: the first request of the read.
        path: the path of the entry, with its placeholders.

    Raises:
        RowsError: the request sends nothing in a place, or a secret.
    """
    values = {}
    for name, origin in fields.items():
        if origin.kind == "constant":
            values[name] = origin.value
        elif origin.kind == "path":
            values[name] = _segment(name, origin.value, str(request.url), path)
        elif origin.kind == "param":
            values[name] = _sent(name, origin.value, request)
        if name in values:
            _refuse_secret(name, origin, values[name])
    return values


def _sent(field: str, name: str, request: requests.Request) -> Any:
    place = Place.of(name)
    query = urlsplit(str(request.url)).query
    sent: dict[str, Any] = {
        "params": {
            **_unlisted(parse_qs(query, keep_blank_values=True)),
            **_mapping(request.params),
        },
        "json": request.json,
        "data": _mapping(request.data),
        "headers": request.headers,
    }
    found = place.value_in(sent)
    if found is EMPTY:
        there = sent[place.part]
        known = listed(list(there)) if isinstance(there, Mapping) and there else "nothing"
        raise RowsError(
            f"`{field}` in `fields` of `rows` is what the request sends as `{name}`, and it sends "
            f"no such value: `{place.part}` has {known}. Correct the place"
        )
    return found


def _segment(name: str, number: int, url: str, path: str) -> str:
    """Return a segment of the entry's path as the request has it."""
    segments = _segments(urlsplit(url).path)
    own = _segments(urlsplit(path).path)
    if number > 0 and len(own) > 1:  # the base URL may have a path of its own
        segments = segments[-len(own) :]
    at = number - 1 if number > 0 else number
    if not -len(segments) <= at < len(segments):
        raise RowsError(
            f"`{name}` in `fields` of `rows` is the segment {number} of the path, which has "
            f"{len(segments)}. Correct the number"
        )
    return unquote(segments[at])


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _refuse_secret(name: str, origin: Origin, value: Any) -> None:
    place = last_name(str(origin.value)) if origin.kind == "param" else ""
    if str(value) in redact or (place and is_secret(place, str(value))):
        raise RowsError(
            f"`{name}` in `fields` of `rows` is a secret, which would be a column of the table. "
            "Take it out, or give the value as a constant if it is none"
        )


def _mapping(given: Any) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        return given
    return _unlisted(parse_qs(given, keep_blank_values=True)) if isinstance(given, str) else {}


def _unlisted(given: Mapping[str, list[str]]) -> dict[str, Any]:
    return {name: each[0] if len(each) == 1 else each for name, each in given.items()}
