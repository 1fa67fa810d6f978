"""The endpoints of an OpenAPI document, looked up by the paths of `api.py`."""

import os
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics_assets.contract.openapi.document import read_document, server_paths
from analytics_assets.contract.openapi.files import FILES
from analytics_assets.contract.openapi.references import References

PLACEHOLDER = re.compile(r"\{[^{}]*\}")
Segments = tuple[str, ...]
_known: dict[str, tuple[dict[Path, int], "Endpoints"]] = {}


class Endpoints:
    """The endpoints of one document, indexed once for all resources.

    Args:
        document: an OpenAPI document.
        place: the document's file, for errors.
    """

    def __init__(self, document: Mapping[str, Any], place: str = "The API's document") -> None:
        self.document = document
        self.references = References(document, place)

    def operation(self, path: str, method: str) -> Mapping[str, Any]:
        """Return the operation of an endpoint, by the path that fits it best.

        Args:
            path: the endpoint's path as in `api.py`: with dlt's placeholders or values for
                parameters, with or without the path of the server.
            method: the HTTP method.

        Returns:
            The operation; {} if the document has none.

        Raises:
            ContractError: a `$ref` leads nowhere.
        """
        wanted = _segments(path)
        # a literal path fits better than one with a parameter
        for name in self._names.get(wanted, ()):
            if operation := self._operation(name, method):
                return operation
        found: Mapping[str, Any] = {}
        best = -1
        for form, name in self._forms:
            rank = sum("{}" not in segment for segment in form)
            if (
                rank > best
                and _match(form, wanted)
                and (operation := self._operation(name, method))
            ):
                best, found = rank, operation
        return found

    def _operation(self, name: str, method: str) -> Mapping[str, Any]:
        item = self.references.followed(self._paths[name])
        return self.references.followed(item.get(method.lower()))

    @cached_property
    def _paths(self) -> Mapping[Any, Any]:
        return self.references.followed(self.document.get("paths"))

    @cached_property
    def _forms(self) -> list[tuple[Segments, str]]:
        """The document's paths, each in all forms that `api.py` may use."""
        templates = {name: _segments(name) for name in self._paths if isinstance(name, str)}
        servers = [_segments(server) for server in server_paths(self.document)]
        # the common beginning of all paths may be a part of the base URL, which is a setting
        shared = _shared(templates.values())
        return [
            (form, name)
            for name, own in templates.items()
            for form in (own, *(server + own for server in servers), own[shared:])
            if form
        ]

    @cached_property
    def _names(self) -> Mapping[Segments, list[str]]:
        names: dict[Segments, list[str]] = {}
        for form, name in self._forms:
            names.setdefault(form, []).append(name)
        return names


def stored_endpoints(place: str | Path) -> Endpoints:
    """Read a document as `read_document` does, unchanged files only once."""
    changes, endpoints = _known.get(str(place), ({}, None))
    if endpoints is None or changes != _changes(changes):
        before = _changes([Path(place)])
        document = read_document(place)
        files = [Path(place).parent / name for name in document.get(FILES, {})]
        changes, endpoints = {**_changes(files), **before}, Endpoints(document, str(place))
        _known[str(place)] = changes, endpoints
    return endpoints


def _changes(files: Iterable[Path]) -> dict[Path, int]:
    """Return when each file was changed last; 0 for one that is not there."""
    found = {}
    for file in files:
        try:
            found[file] = os.stat(file).st_mtime_ns
        except (OSError, ValueError):
            found[file] = 0
    return found


def _segments(path: str) -> Segments:
    """Split a path, its host and its query left out, its parameters without their names."""
    nameless = PLACEHOLDER.sub("{}", path)
    bare = re.split(r"[?#]", nameless)[0]
    if "://" in bare:
        bare = urlsplit(bare).path
    return tuple(segment for segment in bare.split("/") if segment)


def _shared(paths: Iterable[Segments]) -> int:
    """Count the segments, none of them a parameter, that all paths begin with."""
    places = (set(place) for place in zip(*paths, strict=False))
    return sum(1 for _ in takewhile(lambda place: len(place) == 1 and "{}" not in place, places))


def _match(template: Segments, path: Segments) -> bool:
    return len(template) == len(path) and all(map(_match_one, template, path))


def _match_one(template: str, segment: str) -> bool:
    """Test if a segment fits a template with a text for each parameter.

    Each is as short as it can be, and the last one as long: a regular expression would try all
    lengths of all of them.
    """
    first, *others = template.split("{}")
    if not others:
        return template == segment
    if not segment.startswith(first):
        return False
    at = len(first)
    for literal in others[:-1]:
        at = segment.find(literal, at + 1) + len(literal)
        if at < len(literal):
            return False
    return segment.endswith(others[-1]) and len(segment) - len(others[-1]) > at
