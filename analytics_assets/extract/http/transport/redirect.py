"""Redirects, by the rules that requests follows."""

from urllib.parse import parse_qsl, urlsplit

import requests
from dlt.sources.helpers.rest_client.redaction import sanitize_url
from requests.exceptions import RequestException
from requests.models import REDIRECT_STATI

from analytics_assets.extract.http.errors import RedirectError, describe_request
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.transport.origin import AnonymousRequest, Origins
from analytics_assets.extract.http.transport.transfer import Transfer
from analytics_assets.redaction.redactor import redact


def redirected(
    transfer: Transfer, page: Page, session: requests.Session, origins: Origins
) -> requests.PreparedRequest | None:
    """Return the request to which an answer redirects; None if it is no redirect.

    The method becomes GET after 303, and after a 301 or 302 that loses no part of the request.
    Credentials go to the API's own origins alone.

    Args:
        transfer: the transfer that was answered.
        page: the answer.
        session: its rules hold.
        origins: those of the API.

    Raises:
        RedirectError: there were too many redirects, one without a URL, or one that would lose the
            body or the parameters of the request.
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
    admitted = origins.admit(following, sent, verb="redirects")
    # RFC 9110 15.4.2 lets a client change POST to GET, and all clients do: of a report, the days,
    # the filters and the page are gone then
    if page.status in (301, 302) and _is_lost(sent, admitted):
        raise RedirectError(
            f"{where}: the API answered {page.status}, a redirect to "
            f"{redact(sanitize_url(str(following.url)))}, by which the {sent.method} would become "
            "a GET without its body and its parameters, for other rows: set `base_url` or `path` "
            "so that they lead there at once."
        )
    return admitted


def _is_lost(sent: requests.PreparedRequest, following: requests.PreparedRequest) -> bool:
    """Return True if a GET after a redirect asks for less than the request that it comes from."""
    # a host without credentials, such as one of files, is asked for a bare URL
    if sent.method == following.method or isinstance(following, AnonymousRequest):
        return False
    asked, kept = (parse_qsl(urlsplit(str(each.url)).query) for each in (sent, following))
    return bool(sent.body) or not {*asked} <= {*kept}
