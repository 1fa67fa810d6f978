"""The body of a response: decoded strictly, and searched for its rows."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import requests
from dlt.common import jsonpath
from dlt.common.jsonpath import TJsonPath
from dlt.sources.helpers.rest_client.detector import find_response_page_data
from requests.utils import get_encoding_from_headers

ERRORS = frozenset(
    ("error", "errors", "fault", "exception", "errormessage", "errormsg", "errorcode", "errcode")
) | {"iserror"}
SUCCESS = ("success", "ok", "succeeded", "issuccess")
STATUS = ("status", "statuscode", "code", "result")
FAILED = ("error", "err", "fail", "failed", "failure")
ERROR_STATUSES = (range(400, 600), range(40_000, 60_000))
NO_ERROR = ("", "0", "none", "null", "ok", "success", "false", "no", "no error")
MAX_KEYS = 20  # of a body in an error
MESSAGE_LENGTH = 300  # characters


@dataclass(frozen=True)
class RowsPath:
    """The place of the rows in a page.

    Args:
        selector: the entry's `data_selector`; None if dlt detects the place.
        one_is_enough: whether a single object counts as a list of one, as for an endpoint without
            paging.
    """

    selector: TJsonPath | None
    one_is_enough: bool = False

    def problem(self, body: Any) -> str | None:
        """Return the reason why a body is no page of rows; None if it is one, even an empty one."""
        return self.failure(body) or self.misplacement(body)

    def failure(self, body: Any) -> str | None:
        """Return the failure that a body reports; None if it reports none."""
        return None if self._is_the_body else _reported_failure(body)

    def misplacement(self, body: Any) -> str | None:
        """Return what a body has in the place of its rows; None if they are there."""
        if self._is_the_body:
            return None
        if self.selector is None:
            _, found = find_response_page_data(body) if isinstance(body, Mapping) else ("", body)
            return self._not_rows("its body", found)
        found = jsonpath.find_values(self._path, body)
        if found:
            # a selector such as `items[*]` finds the rows themselves
            finds_rows = self._finds_rows or len(found) > 1
            return None if finds_rows else self._not_rows(f"`{self.selector}`", found[0])
        if not self._finds_rows:
            return f"no `{self.selector}` in its body"
        around = re.split(r"\[(?:\*|\?)", str(self.selector))[0].rstrip(".")
        whole = jsonpath.find_values(around, body) if around else [body]
        return self._not_rows(f"`{around}`", whole[0]) if whole else f"no `{around}` in its body"

    @property
    def is_filter(self) -> bool:
        """True if the selector filters a list."""
        return "?" in self._unquoted

    @property
    def _is_the_body(self) -> bool:
        """True if the body itself is a row or a list of rows, whatever is in it."""
        return self.one_is_enough and str(self.selector) == "$"

    @cached_property
    def _path(self) -> TJsonPath:
        """The selector, compiled once for all pages."""
        return jsonpath.compile_path(str(self.selector))

    @cached_property
    def _finds_rows(self) -> bool:
        """True if the selector finds rows, rather than a list of them."""
        return any(sign in self._unquoted for sign in ("*", "?", "|", ":"))

    @cached_property
    def _unquoted(self) -> str:
        """The selector without names in quotation marks."""
        return re.sub(r"'[^']*'|\"[^\"]*\"", "", str(self.selector))

    def _not_rows(self, what: str, found: Any) -> str | None:
        if isinstance(found, list) or (self.one_is_enough and isinstance(found, Mapping)):
            return None
        return f"{what} being {_kind(found)} and no list"


def outline(body: Any) -> str:
    """Describe a body by its keys, without its rows, which may be personal data.

    Its `message`, in which some APIs report a failure, is shown.
    """
    if not isinstance(body, Mapping):
        return f"the body is {'a list' if isinstance(body, list) else _kind(body)}"
    keys = [f"`{name}`" for name in body]
    more = ["..."] if len(keys) > MAX_KEYS else []
    text = body.get("message")
    message = f", and says: {text[:MESSAGE_LENGTH]}" if isinstance(text, str) else ""
    named = f"the keys {', '.join(keys[:MAX_KEYS] + more)}" if keys else "no keys"
    return f"the body has {named}{message}"


def decode(response: requests.Response) -> tuple[Any, str | None]:
    """Decode a body as JSON, strictly.

    requests would guess an encoding that does not fit, and alter texts by it.

    Returns:
        The body and None, or None and the problem.
    """
    try:
        return msgspec.json.decode(response.content), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(response)


def _decode_slowly(response: requests.Response) -> tuple[Any, str | None]:
    """Decode what only Python's own decoder accepts: other encodings, NaN, lone surrogates."""
    try:
        text = response.content.decode(_encoding(response))
        return json.loads(text.removeprefix("\ufeff")), None
    except UnicodeDecodeError as error:
        return None, f"a body that is not {error.encoding} at byte {error.start}"
    except RecursionError:
        return None, "a body that is nested too deeply to be read"
    except (ValueError, LookupError):
        return None, "a body that is not JSON"


def _encoding(response: requests.Response) -> str:
    """Return the encoding of the response or the entry's `response_actions`; else JSON's own."""
    assumed = get_encoding_from_headers(response.headers)
    declared = "charset=" in response.headers.get("Content-Type", "").lower()
    if response.encoding and (declared or response.encoding != assumed):
        return response.encoding
    return json.detect_encoding(response.content)


def _reported_failure(body: Any) -> str | None:
    if not isinstance(body, Mapping):
        return None
    for name, value in body.items():
        known = plain(name)
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


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds: dict[type, str] = {dict: "an object", str: "a text", bool: "a truth value"}
    return kinds.get(type(value), "a number")


def plain(name: str) -> str:
    """Return a field's name in small letters and digits alone: `totalcount` of `total_count`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
