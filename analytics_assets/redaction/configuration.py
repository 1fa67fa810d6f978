"""The secrets of a configuration at any depth, also in objects that sign requests."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import requests

from analytics_assets.redaction.names import is_secret, is_word
from analytics_assets.redaction.redactor import redact
from analytics_assets.redaction.spellings import MIN_LENGTH

# what an API gets in headers and in parameters of a token request may be secret whatever its name
SECRET_PARTS = ("headers", "cookies", "token_params")
HARMLESS = (
    *("accept", "accept-encoding", "accept-language", "connection", "content-length"),
    *("content-type", "user-agent", "scope", "audience", "resource"),
)
PLAIN = re.compile(r"[\d.:/T Z+-]+|[a-z]+/[\w.+-]+(;.*)?|https?://.*|.{0,3}", re.DOTALL)
OF_SESSION = ("headers", "auth", "params", "proxies", "cookies")
URL_UP_TO_PATH = re.compile(r"https?://[^/]*/?")
MAX_DEPTH = 20


def learn_secrets(part: Any, name: str = "", depth: int = 0, *, is_marked: bool = False) -> None:
    """Remove the secrets of a part of a configuration from all texts of the process, from now on.

    Args:
        part: a value, a dictionary or list of them, an auth of dlt or requests, or a session.
        name: its key.
        depth: of the part in the configuration.
        is_marked: True if it is secret whatever its name, as by `dlt.secrets.value`.
    """
    if isinstance(part, str):
        _learn(part, name, is_marked)
    elif depth > MAX_DEPTH:
        return
    elif isinstance(part, list | tuple | set):
        if name == "auth" and len(part) == 2:  # user and password, as requests takes them
            part = [dict(zip(("username", "password"), part, strict=True))]
        for each in part:
            learn_secrets(each, name, depth + 1, is_marked=is_marked)
    elif isinstance(fields := _fields_of(part), Mapping):
        user, password = fields.get("username"), fields.get("password")
        if user and (password or password == ""):
            redact.add(b64encode(f"{user}:{password}".encode()).decode())
            # the user of HTTP Basic without a password, or with a filler for one, is a key
            is_filled = isinstance(password, str) and len(password) < MIN_LENGTH
            if name == "auth" and is_filled and not is_word(str(user)):
                redact.add(str(user))
        for key, value in fields.items():
            is_sent = name in SECRET_PARTS and isinstance(value, str)
            if is_sent and not is_marked and may_be_secret(str(key), str(value)):
                redact.add(value)
            learn_secrets(value, str(key), depth + 1, is_marked=is_marked)


def _fields_of(part: Any) -> Any:
    if isinstance(part, requests.Session):
        return {name: getattr(part, name, None) for name in OF_SESSION}
    if isinstance(part, Mapping):  # dlt's auth objects are, too
        return part
    return vars(part) if isinstance(part, requests.auth.AuthBase) else None


def may_be_secret(name: str, value: str) -> bool:
    """Return True unless a header or parameter and its value are known to be harmless."""
    return name.lower() not in HARMLESS and not (is_word(value) or PLAIN.fullmatch(value))


def _learn(value: str, name: str, is_marked: bool) -> None:
    if "://" in value or "?" in value:
        redact.add_url(value)
    if value.startswith("{"):  # credentials as JSON, such as those of a service account
        with suppress(ValueError, RecursionError):
            learn_secrets(json.loads(value), name, MAX_DEPTH - 2)
    if is_marked or is_secret(name, value):
        # scheme and host of a URL are in other texts, too
        value = URL_UP_TO_PATH.sub("", value, count=1)
        redact.add(value)
        # an API may repeat the credentials alone, without their scheme (RFC 9110 section 11.4)
        redact.add(value.partition(" ")[2])
