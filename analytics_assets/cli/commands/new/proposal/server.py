"""The base URL of an API, by the servers of its document."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.contract.openapi.document import filled_url
from analytics_assets.contract.openapi.references import as_list
from analytics_assets.redaction.url import without_credentials

LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "::1", "host.docker.internal")  # noqa: S104
MOST_OTHERS = 3


def base_url_of(document: Mapping[str, Any], document_url: str | None) -> Guess:
    """Find the base URL.

    Args:
        document: the document.
        document_url: the URL from which it was fetched; None for a file.

    Returns:
        The URL; None if it is a setting, with the reason.
    """
    found, checks = list[str](), list[str]()
    for url, check in _servers(document):
        whole = urljoin(document_url, url) if document_url else url
        try:
            parts = urlsplit(whole)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:  # a bad IPv6 address
            continue
        if not is_url or "{" in whole or "}" in whole or parts.query or parts.fragment:
            continue
        if parts.hostname in LOCAL and not document_url:
            continue
        shown = without_credentials(whole).rstrip("/")
        if shown not in found:
            found.append(shown)
            checks.append(check)
    if not found:
        return Guess(None, "the document names no address of the API")
    reasons = [checks[0]] if checks[0] else []
    if len(found) > 1:
        others = ", ".join(found[1 : 1 + MOST_OTHERS])
        reasons.append(f"the document has other servers, too: {others}")
    return Guess(found[0], "; ".join(reasons) or None)


def _servers(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the URLs of the servers, and what is to be checked about each."""
    if "swagger" in document:
        host, path = document.get("host"), document.get("basePath")
        base = path if isinstance(path, str) else "/"
        schemes = [str(scheme) for scheme in as_list(document.get("schemes"))]
        scheme = "https" if "https" in schemes or not schemes else schemes[0]
        return [(f"{scheme}://{host}{base}" if isinstance(host, str) and host else base, "")]
    servers = as_list(document.get("servers")) or [{"url": "/"}]
    found = []
    for server in servers:
        url = server.get("url") if isinstance(server, dict) else None
        if isinstance(url, str):
            filled = filled_url(url, server.get("variables"))
            check = "" if filled == url else "parts of it are the document's defaults"
            found.append((filled, check))
    return found
