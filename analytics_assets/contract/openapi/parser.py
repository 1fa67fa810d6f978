"""Parser of a document's files, JSON or YAML: data alone, and no more than it takes to write it.

A few lines of YAML can stand for gigabytes, by aliases of aliases, or for a part without an end,
and text that is nested deeply enough ends a process, as the parsers of libraries recurse.
"""

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from analytics_assets.contract.errors import ContractError

REMEDY = "Use the OpenAPI 3 or Swagger 2.0 document of the API, as JSON or YAML."
MAX_BYTES = 64 * 1024 * 1024  # of a file; the largest known documents of APIs have 40 MB
MAX_DEPTH = 128  # levels of lists and objects; an object in a schema takes two or three
MAX_ALIASED = 100_000  # parts that aliases may add to those that are written down
MAX_DIGITS = 1_000
MERGE_KEY = "<<"
NUMBERS = ("int", "float", "timestamp")
NO_JSON = ("binary", "omap", "pairs", "set")  # types of YAML 1.1 that a document cannot have


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's safe loader, in C if it can be, for the types of JSON."""


def read_file(file: Path) -> bytes:
    """Read a file of a document.

    Raises:
        OSError: it cannot be read, or is a pipe or a device, which might never end.
        ContractError: it is too large.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise OSError(errno.EINVAL, "it is a pipe or a device")
    with file.open("rb") as opened:
        text = opened.read(MAX_BYTES + 1)
    _check_size(text, str(file))
    return text


def parse_file(text: bytes | str, place: str) -> Any:
    """Parse a file of a document, JSON or YAML.

    Args:
        text: its content.
        place: its name in an error.

    Raises:
        ContractError: it is neither, or it has a part that no document needs: a key twice, an
            alias within its own part, too many levels or aliases, too long a number. The message
            names the line.
    """
    _check_size(text, place)
    try:
        document = json.loads(text, object_pairs_hook=_object)
        if not _is_deep(document):
            return document
    except (ValueError, RecursionError):
        pass  # JSON is YAML, and PyYAML names the line
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader
    except (yaml.YAMLError, ValueError) as error:
        problem = str(error).splitlines()[0]
        mark = getattr(error, "problem_mark", None)
        problem = f"line {mark.line + 1}: {getattr(error, 'problem', problem)}" if mark else problem
        if isinstance(error, _RefusedError):
            raise ContractError(f"{place} cannot be used: {problem}. Correct it there.") from None
        raise ContractError(f"{place} is neither JSON nor YAML: {problem}. {REMEDY}") from error


class _RefusedError(yaml.MarkedYAMLError):
    def __init__(self, problem: str, part: Any) -> None:
        super().__init__(problem=problem, problem_mark=part.start_mark)


@dataclass(eq=False, slots=True)
class _Open:
    """A list or an object whose end is not read.

    Args:
        anchor: its anchor; empty if it has none.
        keys: the keys of an object so far; None for a list.
        parts: the number of its parts so far, those of aliases included.
        depth: the levels below it so far.
        children: the number of its elements, or of its keys and values.
    """

    anchor: str
    keys: set[str] | None
    parts: int = 1
    depth: int = 0
    children: int = 0


def _check_events(text: bytes | str) -> None:
    """Refuse YAML before an object is made of it: PyYAML makes them by recursion in C.

    Raises:
        yaml.YAMLError: it is no YAML, or refused; with the place.
    """
    most = len(text) + MAX_ALIASED
    known: dict[str, tuple[int, int]] = {}  # parts and depth, by anchor
    stack = [_Open("", None)]
    for event in yaml.parse(text, Loader=_Loader):
        top = stack[-1]
        anchor = str(getattr(event, "anchor", None) or "")
        if isinstance(event, yaml.CollectionStartEvent):
            if len(stack) > MAX_DEPTH:
                raise _too_deep(event)
            top.children += 1
            is_object = isinstance(event, yaml.MappingStartEvent)
            known.pop(anchor, None)
            stack.append(_Open(anchor, set() if is_object else None))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = stack.pop()
            _add(stack[-1], closed.parts, closed.depth + 1)
            if closed.anchor:
                known[closed.anchor] = closed.parts, closed.depth + 1
        elif isinstance(event, yaml.ScalarEvent):
            if top.keys is not None and top.children % 2 == 0 and event.value != MERGE_KEY:
                if event.value in top.keys:
                    name = event.value[:100]
                    raise _RefusedError(f"the key `{name}` occurs twice", event)
                top.keys.add(event.value)
            top.children += 1
            _add(top, 1, 0)
            if anchor:
                known[anchor] = 1, 0
        elif isinstance(event, yaml.AliasEvent):
            top.children += 1
            parts, depth = known.get(anchor, (1, 0))
            _add(top, parts, depth)
            if any(part.anchor == anchor for part in stack) and anchor not in known:
                raise _RefusedError(
                    f"the alias `*{anchor}` stands within the part that it means",
                    event,
                )
            if len(stack) - 1 + depth > MAX_DEPTH:
                raise _too_deep(event)
            if sum(part.parts for part in stack) > most:
                raise _RefusedError(
                    f"aliases such as `*{anchor}` add more than {MAX_ALIASED:,} parts",
                    event,
                )


def _add(part: _Open, parts: int, depth: int) -> None:
    part.parts += parts
    part.depth = max(part.depth, depth)


def _too_deep(event: yaml.Event) -> _RefusedError:
    return _RefusedError(f"more than {MAX_DEPTH} levels", event)


def _check_size(text: bytes | str, place: str) -> None:
    if len(text) > MAX_BYTES:
        raise ContractError(f"{place} has more than {MAX_BYTES // 1024 // 1024} MB. {REMEDY}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _is_deep(document: Any) -> bool:
    level: list[Any] = [[document]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            part
            for parent in level
            for part in (parent.values() if type(parent) is dict else parent)
            if type(part) is dict or type(part) is list
        ]
        if not level:
            return False
    return True


def _number(construct: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return PyYAML's constructor of a number or a time, its errors with the line."""

    def constructed(loader: Any, node: yaml.ScalarNode) -> Any:
        if len(node.value) > MAX_DIGITS:
            raise _RefusedError(f"a number of more than {MAX_DIGITS:,} digits", node)
        try:
            return construct(loader, node)
        except ValueError as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from error

    return constructed


for _name in NUMBERS:
    _tag = f"tag:yaml.org,2002:{_name}"
    _Loader.add_constructor(_tag, _number(_Loader.yaml_constructors[_tag]))
for _name in NO_JSON:
    _tag = f"tag:yaml.org,2002:{_name}"
    _Loader.add_constructor(_tag, _Loader.yaml_constructors[None])
