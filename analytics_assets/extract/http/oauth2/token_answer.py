"""The answer of a token endpoint (RFC 6749 sections 5.1 and 5.2), which no text ever quotes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import requests

from analytics_assets.config.errors import listed
from analytics_assets.config.text.excerpts import excerpt
from analytics_assets.contract.rows.numbers import json_integer
from analytics_assets.extract.http.errors import TokenError
from analytics_assets.extract.http.page import Page
from analytics_assets.redaction.redactor import MASK, redact
from analytics_assets.redaction.spellings import is_made_by_machine

# those of RFC 6750 section 2.1, and the further ones of tokens that Salesforce (`!`), Facebook
# (`|`) and others issue; none that ends a header or a part of it
TOKEN = re.compile(r"[A-Za-z0-9\-._~+/!|:$#%&'*^`@()]+=*")
PRINTABLE = re.compile(r"[ -~]+")  # of a refresh token, which is in no header
# what an endpoint may call a token that is sent as `Bearer`
BEARER_TYPE = re.compile(r"|bearer.*|jwt|(access_?)?token|urn:ietf:params:oauth:token-type:.*")
KEY = re.compile(r"[A-Za-z_][\w.-]{0,39}")
MOST_KEYS = 10
MEDIA_TYPE = re.compile(r"[\w.+/-]{3,60}")
FORM = re.compile(r"[\w.-]+=[^\s<>{}&]*(&[\w.-]+=[^\s<>{}&]*)*")
LONG_WORD = re.compile(r"[A-Za-z0-9_.~+/=-]{40,}")  # longer than an id for the endpoint's support
REASON_LENGTH = 300  # characters of the endpoint's own reason in an error message


@dataclass(frozen=True)
class TokenAnswer:
    """An answer of a token endpoint that has an object of JSON.

    Args:
        fields: the object.
        where: the endpoint and the status, as the start of a sentence.
        token_field: the field that has the token.
    """

    fields: Mapping[str, Any]
    where: str
    token_field: str = "access_token"  # noqa: S105  # a name, no secret

    @property
    def access_token(self) -> str:
        """The token.

        Raises:
            TokenError: there is none, or it cannot be sent.
        """
        token, kind = self.fields.get(self.token_field), self.fields.get("token_type")
        if not isinstance(token, str) or not token:
            raise TokenError(
                f"{self.where} without an `{self.token_field}`{self.reason}, with "
                f"{keys_of(self.fields)}."
            )
        if not TOKEN.fullmatch(token):
            raise TokenError(
                f"{self.where} with an `{self.token_field}` that no header can carry, as it has "
                "other characters than a token may have (RFC 6750 section 2.1). Check `token_url`."
            )
        if isinstance(kind, str) and not BEARER_TYPE.fullmatch(kind.strip().lower()):
            shown = kind if KEY.fullmatch(kind) else "another one"
            raise TokenError(
                f"{self.where} with a token whose `token_type` is `{shown}`: only `Bearer` tokens "
                "can be sent (RFC 6749 section 7.1). Register the client for `Bearer` tokens."
            )
        return token

    @property
    def refresh_token(self) -> str | None:
        """The refresh token that replaces the one of the request; None if there is none.

        Raises:
            TokenError: it has characters that no token has.
        """
        token = self.fields.get("refresh_token")
        if not isinstance(token, str) or not token:
            return None
        if not PRINTABLE.fullmatch(token):
            raise TokenError(
                f"{self.where} with a `refresh_token` that has other characters than a token may "
                "have (RFC 6749 appendix A.17). Check `token_url`."
            )
        return token

    @property
    def error(self) -> str:
        """The code of the error; empty if there is none."""
        code = self.fields.get("error")
        if isinstance(code, Mapping):  # as of some APIs, which describe all errors alike
            code = code.get("status") or code.get("code") or code.get("type") or "an error"
        return str(code)[:REASON_LENGTH] if code else ""

    @property
    def reason(self) -> str:
        """The error for the end of a sentence: its code, and the endpoint's description of it."""
        code, description = self.error, self.fields.get("error_description")
        if isinstance(nested := self.fields.get("error"), Mapping):
            description = description or nested.get("message")
        if not code:
            return ""
        text = f"{code} ({description})" if isinstance(description, str) else code
        text = LONG_WORD.sub(_masked, redact(text))
        return f": {excerpt(text, REASON_LENGTH)}"


def object_of(page: Page) -> dict[str, Any] | None:
    """Return the object of JSON that an answer has; None if it has something else."""
    try:
        decoded = page.as_response().json(parse_int=json_integer)
    except (requests.JSONDecodeError, RecursionError, ValueError):
        return None
    return decoded if isinstance(decoded, dict) else None


def description_of(page: Page) -> str:
    """Return what an answer is, without a value of it."""
    content, media = page.content.strip(), page.headers.get("Content-Type", "").partition(";")[0]
    text = content.decode("utf-8", "replace")
    if not content:
        return "an empty body"
    if FORM.fullmatch(text):
        return f"a form in place of JSON, with {keys_of(dict(parse_qsl(text)))}"
    if (found := object_of(page)) is not None:
        return f"an object of JSON with {keys_of(found)}"
    if media == "text/html" or text[:1] == "<":
        kind = "a web page"
    elif text[:1] in ("{", "["):
        kind = "JSON that is no object, not valid, or nested too deeply"
    else:
        kind = media if MEDIA_TYPE.fullmatch(media) else "a text"
    return f"{kind} of {len(page.content)} bytes"


def keys_of(fields: Mapping[str, Any]) -> str:
    """Return the keys of an object for a sentence; those that look like values are counted."""
    names = [name for name in fields if KEY.fullmatch(name) and not LONG_WORD.fullmatch(name)]
    more = len(fields) - len(names[:MOST_KEYS])
    return f"the keys {listed(names[:MOST_KEYS])}" + (f" and {more} more" if more else "")


def _masked(word: re.Match[str]) -> str:
    return MASK if is_made_by_machine(word[0]) else word[0]
