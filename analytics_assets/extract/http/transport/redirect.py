"""Redirects, by the rules that requests follows."""

import requests
from requests.exceptions import RequestException
from requests.models import REDIRECT_STATI

from analytics_assets.extract.http.errors import RedirectError, describe_request
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.transport.origin import Origins
from analytics_assets.extract.http.transport.transfer import Transfer
from analytics_assets.redaction.redactor import redact


def redirected(
    transfer: Transfer, page: Page, session: requests.Session, origins: Origins
) -> requests.PreparedRequest | None:
    """Return the request to which an answer redirects; None if it is no redirect.

    The method becomes GET after 303 and 302, and credentials go to the API's own origins alone.

    Args:
        transfer: the transfer that was answered.
        page: the answer.
        session: its rules hold.
        origins: those of the API.

    Raises:
        RedirectError: there were too many redirects, or one without a URL.
        LinkError: no request may be sent to the target.
    """
    if page.status not in REDIRECT_STATI:
        return None
    asked, sent = transfer.asked, transfer.request
    if transfer.redirects >= session.max_redirects:
        raise RedirectError(
            f"{describe_request(asked)}: the API redirects more than "
            f"{session.max_redirects} times: check `base_url` and `path`; they may lead to a "
            "login page."
        )
    where = describe_request(sent)
    response = page.as_response()
    response.request = sent
    try:
        following = next(session.resolve_redirects(response, sent, yield_requests=True), None)
    except (RequestException, ValueError) as error:
        raise RedirectError(
            f"{where}: the API redirects to a URL that cannot be requested: {redact(str(error))}"
        ) from None
    if following is None:
        raise RedirectError(
            f"{where}: the API answered {page.status}, a redirect, without a `Location`: check "
            "`base_url` and `path`."
        )
    # requests removes it by rules of its own
    if "Authorization" in sent.headers:
        following.headers["Authorization"] = sent.headers["Authorization"]
    return origins.admit(following, sent, verb="redirects")
