"""Requests as sentences show them: without secrets, and what differs between two of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from dlt.sources.helpers.rest_client.redaction import sanitize_url

from analytics_assets.config.text.excerpts import excerpt
from analytics_assets.redaction.redactor import redact

LONGEST = 300  # characters of a body


def request_text(request: requests.Request) -> str:
    """Return the method, the URL and the body of a request."""
    parts = request_parts(request)
    body = excerpt(parts["body"] or "", LONGEST)
    return f"{parts['method']} {parts['url']} {body}".rstrip()


def request_parts(request: requests.Request) -> dict[str, str | None]:
    """Return the method, the URL and the body of a request, by these names."""
    prepared = _prepared(request)
    body = redact(_text_of(prepared.body)) or None
    url = redact(sanitize_url(str(prepared.url)))
    return {"method": str(prepared.method), "url": url, "body": body}


def difference(before: requests.Request, after: requests.Request) -> str:
    """Return the parts of a request that another one did not have, such as "offset=100"."""
    old, new = _parts_of(before), _parts_of(after)
    changed = [f"{name}={value}" for name, value in new.items() if old.get(name) != value]
    return redact(", ".join(changed))


def _parts_of(request: requests.Request) -> Mapping[str, str]:
    """Return the values of a request by their places."""
    prepared = _prepared(request)
    parts = urlsplit(sanitize_url(str(prepared.url)))
    found = {"URL": f"{parts.scheme}://{parts.netloc}{parts.path}"}
    found |= dict(parse_qsl(parts.query, keep_blank_values=True))
    found |= {f"headers.{name}": str(value) for name, value in (request.headers or {}).items()}
    body = _text_of(prepared.body)
    try:
        found |= dict(_leaves("json", json.loads(body)))
    except ValueError:
        found |= {f"data.{name}": value for name, value in parse_qsl(body)}
    return found


def _leaves(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(f"{place}.{name}", part)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(f"{place}[{number}]", part)
    else:
        yield place, str(value)


def _text_of(body: Any) -> str:
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")


def _prepared(request: requests.Request) -> requests.PreparedRequest:
    """Return a request ready to be sent, though without a sign-in."""
    return requests.Request(
        *(request.method, request.url),
        params=request.params,
        json=request.json,
        data=request.data,
    ).prepare()
