"""An API's OpenAPI document: read, and stored in a file beside the code."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.files import (
    FILES,
    ReadFile,
    bundle,
    has_relative_references,
    read_below,
)
from analytics_assets.contract.openapi.parser import REMEDY, parse_file, read_file

VERSIONS = {"openapi": ("3.0", "3.1", "3.2"), "swagger": ("2.0",)}
MAX_SERVERS = 100
VARIABLE = re.compile(r"\{([^{}]*)\}")
REFERRED = re.compile(r'"\$ref": "#/([^/"~%]+)')
# parts of a document that its rows depend on; hosts and sign-in differ between environments
KEPT = ("openapi", "swagger", "info", "produces", "paths", "definitions", "responses")


def read_document(place: str | Path) -> dict[str, Any]:
    """Read an OpenAPI document from a file.

    Args:
        place: the file, JSON or YAML.

    Returns:
        The document.

    Raises:
        ContractError: there is no such file, or it is no OpenAPI or Swagger document.
    """
    file = Path(place)
    try:
        text = read_file(file)
    except OSError as error:
        raise ContractError(
            f"The OpenAPI document {place} cannot be read: {error.strerror or error}. "
            "`analytics-assets contract` fetches it from the API; or set `openapi` to None."
        ) from error
    return parse_document(text, str(place), file.name, read_below(file.parent))


def parse_document(
    text: bytes | str, place: str, name: str = "", read: ReadFile | None = None
) -> dict[str, Any]:
    """Read an OpenAPI document from a text.

    Args:
        text: JSON or YAML.
        place: its name in an error.
        name: the name of its file, by which its further files may refer to it.
        read: reads these files; None if there are none.

    Returns:
        The document, its files bundled into it.

    Raises:
        ContractError: it is no OpenAPI or Swagger document.
    """
    document = parse_file(text, place)
    if not isinstance(document, dict):
        raise ContractError(f"{place} is no OpenAPI document. {REMEDY}")
    named = {key: document[key] for key in VERSIONS if document.get(key) is not None}
    if not any(str(named[key]).startswith(VERSIONS[key]) for key in named):
        names = {"openapi": "OpenAPI", "swagger": "Swagger"}
        found = [f"{names[key]} {version}" for key, version in named.items()]
        raise ContractError(f"{place} is {' '.join(found) or 'no OpenAPI document'}. {REMEDY}")
    files = document.pop(FILES, None)
    if isinstance(files, dict):
        document[FILES] = {str(key): file for key, file in files.items()}
    if read and has_relative_references(text):
        return bundle(document, name, read)
    return document


def store_document(document: dict[str, Any], place: str | Path) -> None:
    """Write a document to a file, without the parts that depend on where it was fetched.

    Raises:
        ContractError: the file cannot be written.
    """
    file = Path(place)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # half of a surrogate pair, which JSON can have and UTF-8 not, stays the escape that it was
        file.write_text(stored_text(document), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ContractError(
            f"The OpenAPI document cannot be stored in {place}: {error.strerror or error}. "
            "Set `openapi` to a file that can be written."
        ) from error


def stored_text(document: dict[str, Any]) -> str:
    """Return the stored form of a document: in a fixed order, so that differences are the API's.

    Hosts and sign-in are left out, as they differ between environments. Of `servers` the path
    stays, which comes before those of the document.
    """
    components = document.get("components")
    referred = REFERRED.findall(json.dumps(document, default=str, skipkeys=True))
    kept = {
        **{name: document.get(name) for name in {*KEPT, *referred}},
        "servers": [{"url": path} for path in server_paths(document) if path],
        "components": {
            name: part
            for name, part in (components if isinstance(components, dict) else {}).items()
            if name != "securitySchemes"
        },
        FILES: document.get(FILES),
    }
    shown = {name: part for name, part in kept.items() if part}
    return json.dumps(_in_order(shown), indent=2, ensure_ascii=False, default=str) + "\n"


def server_paths(document: Mapping[str, Any]) -> list[str]:
    """Return the paths of the document's servers, below which its own paths are.

    Raises:
        ContractError: they are more than any API has.
    """
    base = document.get("basePath")  # of Swagger 2.0
    found = [base.rstrip("/")] if isinstance(base, str) else []
    servers = document.get("servers")
    for server in servers if isinstance(servers, list) else ():
        url = server.get("url") if isinstance(server, dict) else None
        if not isinstance(url, str):
            continue
        variables = server.get("variables")
        try:
            path = urlsplit(filled_url(url, variables)).path.rstrip("/")
        except ValueError:  # a bad IPv6 address
            continue
        if path not in found:
            found.append(path)
        if len(found) > MAX_SERVERS:
            raise ContractError(f"The document's `servers` have more than {MAX_SERVERS} paths.")
    return found


def filled_url(url: str, variables: Any) -> str:
    """Return the URL of a server with the defaults of its variables, which have none themselves."""
    known = variables if isinstance(variables, dict) else {}

    def default(placeholder: re.Match[str]) -> str:
        variable = known.get(placeholder[1])
        return str(variable.get("default", "")) if isinstance(variable, dict) else placeholder[0]

    return VARIABLE.sub(default, url)


def _in_order(part: Any, are_properties: bool = False) -> Any:
    """Sort by name, but not properties, which become columns in the order of the document."""
    if isinstance(part, list):
        return [_in_order(each) for each in part]
    if not isinstance(part, dict):
        return part
    names = part if are_properties else sorted(part, key=str)
    return {
        # YAML can have a date for a name, which JSON cannot
        name if isinstance(name, str | int | float | None) else str(name): _in_order(
            part[name], not are_properties and name == "properties"
        )
        for name in names
    }
