"""The fields of a page beside its rows, in which an API describes the read."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from analytics_assets.extract.rows.response_body import plain_name

MAX_DEPTH = 3  # of a field
Path = tuple[str, ...]


def fields_of(
    body: Any, containers: Collection[str], path: Path = ()
) -> Iterator[tuple[Path, Any]]:
    """Yield the fields of a body, and of the objects in it that describe the read.

    Args:
        body: the decoded body.
        containers: the plain names of those objects, such as `meta`.
        path: the names around the body.

    Yields:
        The path of a field, and its value.
    """
    if not isinstance(body, Mapping) or len(path) == MAX_DEPTH:
        return
    yield from (((*path, name), value) for name, value in body.items())
    for name, value in body.items():
        if plain_name(name) in containers:
            yield from fields_of(value, containers, (*path, name))


def json_path(path: Path) -> str:
    """Return the JSON path of a field, with quotation marks where a name needs them."""
    return ".".join(name if name.isidentifier() else f"'{name}'" for name in path)
