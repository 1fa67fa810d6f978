"""The fields of a page beside its rows, in which an API describes the read."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from analytics_assets.extract.rows.response_body import plain_name

MAX_DEPTH = 3  # of a field
Path = tuple[str, ...]


class Field(NamedTuple):
    """A field of a page.

    Args:
        path: its names.
        value: its value.
        plain: its last name in small letters and digits alone.
    """

    path: Path
    value: Any
    plain: str

    @property
    def name(self) -> str:
        """The path as errors show it."""
        return ".".join(self.path)


def fields_of(body: Any, containers: Collection[str], path: Path = ()) -> Iterator[Field]:
    """Yield the fields of a body, and of the objects in it that describe the read.

    Args:
        body: the decoded body.
        containers: the plain names of those objects, such as `meta`.
        path: the names around the body.
    """
    if not isinstance(body, Mapping) or len(path) == MAX_DEPTH:
        return
    own = [Field((*path, name), value, plain_name(name)) for name, value in body.items()]
    yield from own
    for field in own:
        if field.plain in containers:
            yield from fields_of(field.value, containers, field.path)
