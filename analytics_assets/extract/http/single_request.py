"""A request that belongs to no read: for a token, or for a document of another host."""

import requests

from analytics_assets.config.settings.request import LimitSettings, RequestSettings
from analytics_assets.extract.http.fetcher import Fetcher
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.http.transport.body import BodyLimit
from analytics_assets.extract.http.transport.origin import Origins
from analytics_assets.extract.http.transport.pool import TransportPool


def fetch_alone(
    request: requests.Request,
    settings: RequestSettings,
    address_setting: str,
    limit: BodyLimit,
    origins: Origins | None = None,
) -> Page:
    """Send a request with retries over a connection of its own, without an API's credentials.

    Args:
        request: the request.
        settings: timeouts and retries.
        address_setting: the setting with the request's address, for errors.
        limit: of the answer's body.
        origins: those to which redirects are followed; None to return one like any other answer.

    Returns:
        The answer, of any status.

    Raises:
        NoAnswerError: no complete answer arrived, after the retries.
        LinkError: there were too many redirects, or one that must not be followed.
    """
    pool = TransportPool(str(request.url), settings)
    fetcher = Fetcher(
        pool,
        RateLimit(LimitSettings(), settings.request_max_retry_delay),
        Traffic(),
        address_setting=address_setting,
        origins=origins,
        limit=limit,
    )
    try:
        return fetcher.fetch(pool.preparation.prepare(request), lambda page: page)
    finally:
        fetcher.close()
        pool.close()
