"""A page as the response that dlt's paginators take."""

from io import BytesIO
from typing import Any

import requests
from requests.utils import get_encoding_from_headers

from analytics_assets.extract.rows.answer import Answer


class DecodedResponse(requests.Response):
    """A page as a response of requests, which dlt's paginators take.

    Args:
        answer: the page.
        body: its decoded body.
    """

    def __init__(self, answer: Answer, body: Any) -> None:
        super().__init__()
        page = answer.page
        self.request, self.url = page.request, page.url
        self.status_code, self.headers = page.status, page.headers  # type: ignore[assignment]
        self.reason = page.reason
        self.encoding = page.encoding or get_encoding_from_headers(page.headers)
        self.raw = BytesIO(page.content)
        self._body = body

    def json(self, **_: Any) -> Any:
        """Return the decoded body."""
        return self._body
