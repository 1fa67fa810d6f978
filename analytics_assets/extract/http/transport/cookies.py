"""Cookies of an API, kept between its requests as a session of requests keeps them."""

from collections.abc import Iterable
from email.message import Message
from http.cookiejar import CookieJar
from typing import NamedTuple
from urllib.request import Request


class _Headers(NamedTuple):
    """The headers of an answer, as `http.cookiejar` takes them."""

    message: Message

    def info(self) -> Message:
        return self.message


class Cookies:
    """The cookies that an API has set; safe to use from several threads."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def header_for(self, url: str) -> str | None:
        """Return the `Cookie` header of a request to a URL; None if it has none."""
        if not len(self._jar):
            return None
        request = Request(url)  # noqa: S310  # nothing is opened
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def keep(self, url: str, values: Iterable[str]) -> None:
        """Keep cookies.

        Args:
            url: the URL whose answer sets them.
            values: the `Set-Cookie` headers of the answer.
        """
        message = Message()
        for value in values:
            message["Set-Cookie"] = value  # adds one
        request = Request(url)  # noqa: S310  # nothing is opened
        self._jar.extract_cookies(_Headers(message), request)  # type: ignore[arg-type]
