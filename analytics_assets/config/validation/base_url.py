"""The base URL of an API: one to which the paths of endpoints can be added."""

from typing import Any
from urllib.parse import urlsplit

from analytics_assets.redaction.url import without_credentials


def wrong_base_url(url: Any) -> str | None:
    """Describe a base URL that cannot be used, without user name and password.

    Args:
        url: the URL; what is no text is a setting, and is looked up in each run.

    Returns:
        The end of an error message; None if nothing is wrong.

    Example:
        >>> wrong_base_url("shop.example.com")
        "is 'shop.example.com', which has no scheme; did you mean 'https://shop.example.com'?"
    """
    if not isinstance(url, str) or not url:
        return None
    shown = without_credentials(url)
    if wrong := wrong_url(url):
        return wrong
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        bare = shown.partition("?")[0].partition("#")[0]
        return (
            f"is {bare!r} with a query or a fragment behind it, to which no path can be added. "
            "Take it out; parameters of all requests belong into `params` of the `endpoint` in "
            "`resource_defaults`."
        )
    return None


def wrong_url(url: str) -> str | None:
    """Describe a URL of a scheme other than HTTP and HTTPS, without user name and password.

    Returns:
        The end of an error message; None if nothing is wrong.
    """
    shown = without_credentials(url)
    if url.startswith(("http://", "https://")):
        return None
    if "://" in url or not shown:
        return f"is {shown!r}, which is no URL such as 'https://api.example.com'."
    advice = (
        f"; did you mean 'https://{shown.lstrip('/')}'?" if "." in shown or ":" in shown else "."
    )
    return f"is {shown!r}, which has no scheme{advice}"
