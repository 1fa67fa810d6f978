"""The parts of a configuration that decide which rows a load reads, and by which key.

Headers, sign-in, host, timeouts, the size and the order of pages decide neither. A date may be that
of the day on which `api.py` was read, and is not compared. Functions, such as those of
`processing_steps`, cannot be compared.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import dlt
from dlt.common.typing import ConfigValueSentinel

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import (
    ResourceConfig,
    as_entry,
    is_resource_function,
    merged_entry,
    name_of,
)
from analytics_assets.config.settings.client import configured_base_url
from analytics_assets.extract.paging.evidence.counts import PAGE_SIZES
from analytics_assets.extract.rows.response_body import plain_name
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.redaction.names import SECRET, is_secret
from analytics_assets.redaction.redactor import redact

WINDOW, TIMEZONE = "window", "timezone"
ORDERS = (
    *("sort", "sortby", "sortorder", "sortdirection"),
    *("orderby", "orderbys", "ordering"),
)
CURSOR = "incremental"  # in place of a cursor of dlt, whose start may be another one each day
DATE = re.compile(
    r"\b(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:-[0-3]\d)?"
    r"(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])"
    r"|\b20\d\d(?:0[1-9]|1[0-2])[0-3]\d\b"
)
FORM = re.compile(r"(?:(?:^|&)[^=&\s<>{}]+=[^=&\s<>{}]*)+")
LONGEST = 200  # characters of a value; of a longer one, the hash is kept
ISSUED = re.compile(r"(?=[\w:-]*[A-Za-z])(?=[\w:-]*\d)[\w:-]{20,}")  # perhaps a key or a token
A_DAY = datetime(2026, 1, 5)  # any will do


def read_by(resource: ResourceConfig) -> dict[str, str]:
    """Return the parts of a resource's configuration that decide on its rows, without secrets.

    Args:
        resource: the resource; of a child, also the parents that it is read from.

    Returns:
        A text for each part, by its name, such as `primary_key`, `path` or `params.currency`.
    """
    parts: dict[str, Any] = {"primary_key": ", ".join(sorted(resource.primary_key))}
    base_url = configured_base_url(resource.config["client"], resource.api_name) or ""
    learn_secrets(base_url)
    learn_secrets(resource.config["client"])  # a check by itself has no connection that knows them
    defaults = resource.config.get("resource_defaults") or {}
    for entry in resource.config["resources"]:
        if is_resource_function(entry):
            continue
        prefix = "" if name_of(entry) == resource.name else f"{name_of(entry)}."
        endpoint = merged_entry(defaults, as_entry(entry))["endpoint"]
        own = _request({"path": name_of(entry), **endpoint}, urlsplit(base_url).path)
        parts |= {f"{prefix}{name}": value for name, value in own}
    if isinstance(load := resource.policy.load, Partitioned):
        start = A_DAY.replace(tzinfo=ZoneInfo(load.timezone))
        parts[WINDOW] = load.window.values(start, start + timedelta(days=1))
        parts[TIMEZONE] = load.timezone
    return {name: _text(name, value) for name, value in parts.items() if value not in (None, "")}


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names of the parts in which two configurations differ.

    The same rows may be read by windows and without: a window differs from another one alone, and
    so does the time zone in which partitions begin.
    """
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    both = before.keys() & now.keys()
    return [name for name in names if name in both or name not in (WINDOW, TIMEZONE)]


def _request(endpoint: Mapping[str, Any], base: str) -> Iterator[tuple[str, Any]]:
    """Yield the parts of an endpoint's request."""
    path = endpoint["path"]
    text = path.default_literal if isinstance(path, ConfigValueSentinel) else str(path)
    url = urlsplit(text if "://" in text else f"/{text.lstrip('/')}")  # `orders:search` is a path
    steps = [url.path.strip("/")] if url.netloc else [base.strip("/"), url.path.strip("/")]
    yield "path", "/".join(filter(None, steps))
    yield "method", str(endpoint.get("method") or "GET").upper()
    params = {**_pairs(url.query), **_named(endpoint.get("params"))}
    for place, values in (
        ("params", params),
        ("json", endpoint.get("json")),
        ("data", endpoint.get("data")),
    ):
        named = _named(values)
        for name, value in named.items():
            if not _is_irrelevant(str(name), value):
                yield f"{place}.{name}", CURSOR if _is_cursor(value) else value
        if values and not named:
            yield place, values


def _named(values: Any) -> Mapping[str, Any]:
    """Return parameters or a body by their names; of a text, those of its JSON or form."""
    if isinstance(values, str):
        try:
            values = json.loads(values)
        except ValueError:
            values = _pairs(values) if FORM.fullmatch(values) else values
    return values if isinstance(values, Mapping) else {}


def _pairs(form: str) -> Mapping[str, str]:
    """Return the values of a query or a form by their names; several of a name as one text."""
    found = defaultdict[str, list[str]](list)
    for name, value in parse_qsl(form):
        found[name].append(value)
    return {name: ", ".join(values) for name, values in found.items()}


def _is_cursor(value: Any) -> bool:
    is_entry = isinstance(value, Mapping) and value.get("type") == CURSOR
    return is_entry or isinstance(value, dlt.sources.incremental)


def _is_irrelevant(name: str, value: Any) -> bool:
    """Return True for a sign-in, and for the size and the order of pages."""
    plain = plain_name(name)
    return plain in PAGE_SIZES or plain in ORDERS or is_secret(name, str(value))


def _text(name: str, value: Any) -> str:
    """Return a value as text: equal for equal values, and short; of a possible secret, the hash."""
    plain = redact.all_of(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, sort_keys=True, default=_kind)
    if name != WINDOW:
        text = DATE.sub("{date}", text)
    is_shown = len(text) <= LONGEST and not (SECRET.search(text.lower()) or ISSUED.search(text))
    return text if is_shown else sha256(text.encode()).hexdigest()


def _kind(value: Any) -> str:
    """Return the type of a value that has no text of its own, such as a function or a setting."""
    return type(value).__name__
