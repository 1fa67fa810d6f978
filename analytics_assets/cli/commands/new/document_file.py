"""The OpenAPI document for a new API, from a file or a URL. A document is hostile until read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.openapi.document import read_document
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import LinkError, NoAnswerError
from analytics_assets.extract.openapi import fetch_document
from analytics_assets.redaction.url import split_credentials

HINT = (
    "Give `--openapi` the address or the file of the document itself, in JSON or YAML; it often is "
    "/openapi.json, /swagger.json or /v3/api-docs, and the page of the documentation links to it"
)


@dataclass(frozen=True)
class SourceDocument:
    """A document, and the place that it comes from.

    Args:
        document: the document.
        url: its URL, without credentials; None for a file.
        place: the place, for display.
    """

    document: dict[str, Any]
    url: str | None
    place: str


def source_document(place: str) -> SourceDocument:
    """Read a document from a file, or fetch it.

    Args:
        place: a file, or a URL of HTTP; its user name and password are sent as HTTP Basic.

    Raises:
        AnalyticsAssetsError: it cannot be read.
    """
    scheme = urlsplit(place).scheme if "://" in place else ""
    if scheme in ("http", "https"):
        return _fetched(place)
    if scheme:
        raise ConfigurationError(
            f"`--openapi` takes a file, or a URL of http or https, and not of {scheme}. {HINT}."
        )
    file = Path(place).expanduser()
    if not file.exists():
        raise ConfigurationError(f"There is no file {file}. {HINT}.")
    if file.is_dir():
        raise ConfigurationError(f"{file} is a folder. {HINT}.")
    return SourceDocument(read_document(file), None, str(file))


def _fetched(url: str) -> SourceDocument:
    bare, _ = split_credentials(url)
    parts = urlsplit(url)
    # its host gets the user name and the password of the URL, and nothing else
    base_url = f"{parts.scheme}://{parts.netloc}"
    connection = connect({"base_url": base_url}, "new", single_attempt())
    try:
        document = fetch_document(connection, bare, HINT)
    except NoAnswerError as error:
        reason = str(error).removesuffix(" (check `base_url`)")
        raise ConfigurationError(f"{reason}: check the address in `--openapi`.") from error
    except LinkError as error:
        reason = str(error).partition(", which is another origin")[0]
        raise ConfigurationError(
            f"{reason}, which is not followed. Give `--openapi` the address that it leads to."
        ) from error
    return SourceDocument(document, bare, bare)
