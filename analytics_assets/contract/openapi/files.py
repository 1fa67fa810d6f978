"""Documents of several files: relative `$ref` followed, and all files bundled into one document.

OpenAPI 3.1 names the rule: a relative reference is resolved against the file that it stands in.
https://spec.openapis.org/oas/v3.1.1.html#relative-references-in-api-description-uris
"""

import posixpath
import re
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.parser import MAX_BYTES, parse_file, read_file

# the further files of a bundled document by their paths below its folder; a text in place of a
# file is the reason why it cannot be read
FILES = "x-files"
ReadFile = Callable[[str], bytes]
EXAMPLES = ("example", "examples", "x-ms-examples")  # may be in files that no schema needs
MAX_FILES = 5_000  # of a document
_NETWORK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_RELATIVE_REFERENCE = re.compile(rb"""\$ref["']?\s*:\s*["']?[^#"'\s]""")


def has_relative_references(text: bytes | str) -> bool:
    """Test if a document may refer to other files; quick, as most are one large file."""
    encoded = text.encode() if isinstance(text, str) else text
    return bool(_RELATIVE_REFERENCE.search(encoded))


def bundle(document: Mapping[str, Any], name: str, read: ReadFile) -> dict[str, Any]:
    """Bundle the files that a document refers to into it.

    Args:
        document: the document.
        name: the name of its file, by which the others may refer to it.
        read: returns the content of a file by its path below the document's folder.

    Returns:
        The document, its files in `FILES`, so that each `$ref` is a JSON pointer within it.
    """
    return _Bundle(name, read, document.get(FILES)).bundled(document)


def read_below(folder: Path) -> ReadFile:
    """Return a reader of the files below a folder, links out of it not followed.

    Args:
        folder: the folder of the document.
    """

    def read(name: str) -> bytes:
        try:
            file = (folder / name).resolve()
            if not file.is_relative_to(folder.resolve()):
                raise ContractError(f"{name} is not below the document's folder")
            return read_file(file)
        # RuntimeError: a link leads to itself
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ContractError(f"{name} cannot be read: {reason}") from error

    return read


def shown(pointer: str) -> str:
    """Return a pointer as it stands in the files: `schemas/order.json#/Order`."""
    prefix = f"#/{FILES}/"
    if not pointer.startswith(prefix):
        return pointer
    name, slash, rest = pointer.removeprefix(prefix).partition("/")
    return f"{unquote(name).replace('~1', '/').replace('~0', '~')}#{slash}{rest}"


class _Bundle:
    def __init__(self, name: str, read: ReadFile, files: Any) -> None:
        self._name = name
        self._read = read
        self._files: dict[str, Any] = dict(files) if isinstance(files, dict) else {}
        self._unread = deque[str]()
        self._size = 0

    def bundled(self, document: Mapping[str, Any]) -> dict[str, Any]:
        own = {key: part for key, part in document.items() if key != FILES}
        bundled: dict[str, Any] = self._rewritten(own, "")
        while self._unread:  # further files may refer to further ones
            self._add(self._unread.popleft())
        return {**bundled, FILES: self._files} if self._files else bundled

    def _rewritten(self, part: Any, within: str, are_properties: bool = False) -> Any:
        if isinstance(part, list):
            return [self._rewritten(each, within) for each in part]
        if not isinstance(part, dict):
            return part
        rewritten = {}
        for key, value in part.items():
            if key == "$ref" and isinstance(value, str):
                rewritten[key] = self._pointer(value, within)
            elif key in EXAMPLES and not are_properties:
                rewritten[key] = value
            else:
                is_names = key == "properties" and not are_properties
                rewritten[key] = self._rewritten(value, within, is_names)
        return rewritten

    def _pointer(self, reference: str, within: str) -> str:
        """Return the pointer to the target of a reference in the file `within`."""
        if _NETWORK.match(reference):
            return reference
        path, _, fragment = reference.partition("#")
        name = within
        if path:
            name = posixpath.normpath(posixpath.join(posixpath.dirname(within), unquote(path)))
        if name in ("", self._name):
            return f"#{fragment}"
        if name not in self._files:
            self._files[name] = {}
            self._unread.append(name)
        return f"#/{FILES}/{quote(name.replace('~', '~0').replace('/', '~1'), safe='~')}{fragment}"

    def _add(self, name: str) -> None:
        try:
            if len(self._files) > MAX_FILES:
                raise ContractError(f"the document refers to more than {MAX_FILES:,} files")
            if name.startswith(("/", "../")):
                raise ContractError(f"{name} is not below the document's folder")
            text = self._read(name)
            self._size += len(text)
            if self._size > MAX_BYTES:
                raise ContractError(f"the further files have more than {MAX_BYTES:,} bytes")
            content = parse_file(text, name)
            if not isinstance(content, dict):
                raise ContractError(f"{name} holds no object")
            self._files[name] = self._rewritten(content, name)
        except ContractError as error:
            self._files[name] = str(error).rstrip(".")
