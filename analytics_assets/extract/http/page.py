"""A page: the answer of the API to one request, as it arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

UNDECODED: Any = object()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Page:
    """The answer of the API to one request.

    Args:
        request: the request, as it was asked for.
        url: the URL of the answer, after redirects.
        status: the HTTP status.
        headers: by any case of their names.
        content: the body, decoded by its `Content-Encoding`.
        reason: the phrase beside the status.
        encoding: the encoding that `response_actions` set; None for that of the headers.
    """

    request: requests.PreparedRequest
    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    reason: str = ""
    encoding: str | None = None

    @classmethod
    def of(cls, response: requests.Response) -> "Page":
        """Return the page of a response of requests."""
        assumed = get_encoding_from_headers(response.headers)
        return cls(
            response.request,
            str(response.url),
            response.status_code,
            response.headers,
            response.content or b"",
            response.reason or "",
            response.encoding if response.encoding != assumed else None,
        )

    def as_response(self, body: Any = UNDECODED) -> requests.Response:
        """Return the page as a response, which `response_actions` and dlt's paginators take.

        Args:
            body: its decoded body, if it is decoded.
        """
        return _Response(self, body)


class _Response(requests.Response):
    def __init__(self, page: Page, body: Any) -> None:
        super().__init__()
        self._body = body
        self.request, self.url = page.request, page.url
        self.status_code, self.reason = page.status, page.reason
        # a user's function may change headers; dlt's paginators only read them
        is_copied = body is UNDECODED
        self.headers = CaseInsensitiveDict(page.headers) if is_copied else page.headers  # type: ignore[assignment]
        self.encoding = page.encoding or get_encoding_from_headers(page.headers)
        self.raw = BytesIO(page.content)

    def json(self, **options: Any) -> Any:
        """Return the decoded body."""
        return super().json(**options) if self._body is UNDECODED else self._body
