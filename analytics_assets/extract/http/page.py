"""A page: the answer of the API to one request, as it arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers


@dataclass(frozen=True, slots=True)
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

    def as_response(self) -> requests.Response:
        """Return the page as a response of requests, which the user's `response_actions` take."""
        response = requests.Response()
        response.request, response.url = self.request, self.url
        response.status_code, response.reason = self.status, self.reason
        response.headers = CaseInsensitiveDict(self.headers)
        response.encoding = self.encoding or get_encoding_from_headers(response.headers)
        response.raw = BytesIO(self.content)
        return response
