"""URLs without user name and password."""

from base64 import b64encode
from urllib.parse import unquote, urlsplit, urlunsplit

from analytics_assets.redaction.redactor import redact


def without_credentials(url: str) -> str:
    """Return `url` without its user name and password."""
    return split_credentials(url)[0]


def split_credentials(url: str) -> tuple[str, dict[str, str]]:
    """Return a URL without its user name and password, and the header with them, if it has some.

    dlt 1.31 stores the URL of each resource in the trace of a pipeline, as it is given.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # a bad IPv6 address, which a request of it names
        return url, {}
    info, _, place = parts.netloc.rpartition("@")
    if not info:
        return url, {}
    user, _, password = info.partition(":")
    credentials = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    redact.add_url(url)
    redact.add(credentials)
    return urlunsplit(parts._replace(netloc=place)), {"Authorization": f"Basic {credentials}"}
