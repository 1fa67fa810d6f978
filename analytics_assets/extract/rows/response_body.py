"""The body of a response: decoded strictly, and checked for a reported failure."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import msgspec
import requests
from dlt.common import jsonpath
from dlt.common.jsonpath import TJsonPath
from requests.utils import get_encoding_from_headers

from analytics_assets.config.text.json_kind import json_kind
from analytics_assets.contract.rows.numbers import decode_json, json_integer, json_number
from analytics_assets.extract.http.page import Page

ERRORS = frozenset(
    ("error", "errors", "fault", "exception", "errormessage", "errormsg", "errorcode", "errcode")
) | {"iserror"}
SUCCESS = ("success", "ok", "succeeded", "issuccess")
STATUS = ("status", "statuscode", "code", "result")
FAILED = ("error", "err", "fail", "failed", "failure")
ERROR_STATUSES = (range(400, 600), range(40_000, 60_000))
NO_ERROR = ("", "0", "none", "null", "ok", "success", "false", "no", "no error")
NAME = re.compile(r"@?[^\W\d][\w@-]*", re.ASCII)  # that a JSON path needs not quote
NAMES = re.compile(rf"(\$\.)?{NAME.pattern}(\.{NAME.pattern})*")
_compiled = lru_cache(maxsize=256)(jsonpath.compile_path)
MAX_KEYS = 20  # of a body in an error
MESSAGE_LENGTH = 300  # characters


def outline(body: Any) -> str:
    """Describe a body by its keys, without its rows, which may be personal data.

    Its `message`, in which some APIs report a failure, is shown.
    """
    if not isinstance(body, Mapping):
        return f"the body is {json_kind(body)}"
    keys = [f"`{name}`" for name in body]
    more = ["..."] if len(keys) > MAX_KEYS else []
    text = body.get("message")
    message = f", and says: {text[:MESSAGE_LENGTH]}" if isinstance(text, str) else ""
    named = f"the keys {', '.join(keys[:MAX_KEYS] + more)}" if keys else "no keys"
    return f"the body has {named}{message}"


def decode(page: Page, exact: bool = False) -> tuple[Any, str | None]:
    """Decode a body as JSON, strictly.

    requests would guess an encoding that does not fit, and alter texts by it.

    Args:
        page: the answer.
        exact: True to keep the digits of all numbers, for decimal columns; else of those that no
            double holds.

    Returns:
        The body and None, or None and the problem. The body of a 204 (No Content) is null.
    """
    if page.status == requests.codes.no_content and not page.content:
        return None, None
    try:
        return decode_json(page.content, exact), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(page, exact)


def _decode_slowly(page: Page, exact: bool) -> tuple[Any, str | None]:
    """Decode a body that only Python's decoder accepts: other encodings, NaN, long integers."""
    try:
        text = page.content.decode(_encoding(page)).removeprefix("\ufeff")
        number = partial(json_number, exact=exact)
        return json.loads(text, parse_float=number, parse_int=json_integer), None
    except UnicodeDecodeError as error:
        return None, f"a body that is not {error.encoding} at byte {error.start}"
    except RecursionError:
        return None, "a body that is nested too deeply to be read"
    except (ValueError, LookupError):
        return None, "a body that is not JSON"


def _encoding(page: Page) -> str:
    """Return the encoding by the headers or the entry's `response_actions`; else JSON's own."""
    declared = "charset=" in page.headers.get("Content-Type", "").lower()
    named = page.encoding or (get_encoding_from_headers(page.headers) if declared else None)
    return named or json.detect_encoding(page.content)


def reported_failure(body: Any) -> str | None:
    """Return the failure that a body reports; None if it reports none."""
    if not isinstance(body, Mapping):
        return None
    for name, value in body.items():
        known = plain_name(name)
        if known in ERRORS and _is_error(value):
            return f"`{name}` in its body"
        if known in SUCCESS and (value is False or str(value).lower() == "false"):
            return f"`{name}` being false in its body"
        if known in STATUS and _is_failed(value):
            return f"`{name}` being {value!r} in its body"
    return None


def _is_error(value: Any) -> bool:
    """Distinguish an error from a placeholder that reports none, such as `{"code": "ok"}`."""
    if isinstance(value, Mapping):
        return any(_is_error(part) for part in value.values())
    if isinstance(value, list):
        return bool(value)
    return str(value).strip().lower() not in NO_ERROR


def _is_failed(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return any(value in statuses for statuses in ERROR_STATUSES)
    return str(value).lower() in FAILED


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a field's name in small letters and digits alone: `totalcount` of `total_count`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def value_at(path: TJsonPath | None, body: Any) -> Any:
    """Return the first value at a path of a body or a row; None if there is none."""
    found = values_at(path, body)
    return found[0] if found else None


def values_at(path: TJsonPath | None, body: Any) -> list[Any]:
    """Return the values at a path of a body or a row."""
    if not path:
        return []
    names = _names_of(str(path))
    if not names:
        compiled = _compiled(path) if isinstance(path, str) else path
        return jsonpath.find_values(compiled, body)
    for name in names:  # ten times as fast as a search
        if not isinstance(body, dict) or name not in body:
            return []
        body = body[name]
    return [body]


def json_path(names: Sequence[str]) -> str:
    """Return the JSON path of a field, with quotation marks where a name needs them."""
    return ".".join(name if NAME.fullmatch(name) else f"'{name}'" for name in names)


@lru_cache(maxsize=256)
def _names_of(path: str) -> Sequence[str]:
    """Return the names of a path that is nothing but names, joined by dots; else none."""
    return path.removeprefix("$.").split(".") if NAMES.fullmatch(path) else ()
