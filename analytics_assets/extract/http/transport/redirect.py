"""Redirects, by the rules that requests follows."""

import requests
from requests.exceptions import RequestException
from requests.models import REDIRECT_STATI

from analytics_assets.extract.http.errors import RedirectError, describe_request
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.transport.transfer import Transfer
from analytics_assets.redaction.redactor import Redact


def redirected(
    transfer: Transfer, page: Page, session: requests.Session, redact: Redact
) -> requests.PreparedRequest | None:
    """Return the request to which an answer redirects; None if it is no redirect.

    The method becomes GET after 303 and 302, and `Authorization` is dropped on another host.

    Args:
        transfer: the transfer that was answered.
        page: the answer.
        session: its rules hold.
        redact: removes secrets from a text.

    Raises:
        RedirectError: there were too many redirects, or no request can be sent to their target.
    """
    if page.status not in REDIRECT_STATI or "location" not in page.headers:
        return None
    if transfer.redirects >= session.max_redirects:
        raise RedirectError(
            f"{describe_request(transfer.asked, redact)}: the API redirects more than "
            f"{session.max_redirects} times: check `base_url` and `path`; they may lead to a "
            "login page."
        )
    response = page.as_response()
    response.request = transfer.request
    try:
        redirects = session.resolve_redirects(response, transfer.request, yield_requests=True)
        following: requests.PreparedRequest | None = next(redirects, None)  # no target: none
    except (RequestException, ValueError) as error:
        where = describe_request(transfer.request, redact)
        raise RedirectError(
            f"{where}: the API redirects to a URL that cannot be requested: {redact(str(error))}"
        ) from None
    return following
