"""The operations of an OpenAPI document, with their parameters."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analytics_assets.contract.errors import SchemaError
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.references import Schema, as_list, union_of
from analytics_assets.contract.openapi.response_schema import response_schema
from analytics_assets.extract.rows.response_body import plain_name
from analytics_assets.redaction.names import OTHER, SECRET, setting_name

METHODS = ("get", "post")
WORDS_OF_TIMES = (
    *("date", "time", "day", "unix", "iso", "epoch", "yyyy", "created", "updated", "modified"),
)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation.

    Args:
        name: its name in a request; of a part of an object `created[gte]`.
        place: `query`, `path`, `header` or `cookie`.
        is_required: True if a request must have it.
        schema: its schema, references followed.
        description: its description; empty if it has none.
    """

    name: str
    place: str
    is_required: bool
    schema: Schema
    description: str

    @property
    def plain(self) -> str:
        """Its name in small letters and digits alone."""
        return plain_name(self.name)

    @property
    def kinds(self) -> frozenset[str]:
        """The types of JSON that it may have."""
        options = [self.schema, *(each for each in union_of(self.schema) if isinstance(each, dict))]
        return frozenset(str(kind) for each in options for kind in as_list(each.get("type")))

    @property
    def format(self) -> str:
        """Its format, such as `date-time`; empty if none is stated."""
        options = [self.schema, *(each for each in union_of(self.schema) if isinstance(each, dict))]
        return next((str(each["format"]) for each in options if each.get("format")), "")

    @property
    def takes_time(self) -> bool:
        """True if its format, its name or its description says that it takes a time."""
        if self.format in ("date", "date-time"):
            return True
        text = f"{self.name} {self.description}".lower()
        return any(word in text for word in WORDS_OF_TIMES)

    @property
    def is_secret(self) -> bool:
        """True for a key or a token of a sign-in, by its name; not for the token of a page."""
        name = setting_name(self.name)
        is_of_page = OTHER.search(name) is not None
        return self.place in ("query", "header") and bool(SECRET.search(name)) and not is_of_page

    @property
    def default(self) -> Any:
        """The value that the API takes where a request has none."""
        return self.schema.get("default")


@dataclass(frozen=True)
class Operation:
    """An operation of a document.

    Args:
        path: its path, below that of the server.
        method: `get` or `post`.
        parameters: its parameters.
        response: the schema of its successful response; None if the document has none in JSON.
        headers: the names of the headers of its successful responses.
        security: its own requirements of sign-in; None if those of the document hold.
        summary: a sentence about it; empty if there is none.
        is_deprecated: True if the document says so.
    """

    path: str
    method: str
    parameters: tuple[Parameter, ...]
    response: Any
    headers: frozenset[str]
    security: Any
    summary: str
    is_deprecated: bool

    @property
    def query(self) -> list[Parameter]:
        """The parameters of its query."""
        return [each for each in self.parameters if each.place == "query"]

    @property
    def placeholders(self) -> list[str]:
        """The names of the parameters in its path."""
        return PLACEHOLDER.findall(self.path)

    @property
    def segments(self) -> list[str]:
        """The parts of its path."""
        return [segment for segment in self.path.split("/") if segment]


def operations_of(endpoints: Endpoints) -> Iterator[Operation | tuple[str, str]]:
    """Yield the operations of a document that may answer with rows, those by GET first.

    Args:
        endpoints: those of the document.

    Yields:
        An operation; or the path and the reason why it cannot be read.
    """
    references = endpoints.references
    paths = references.followed(endpoints.document.get("paths"))
    for method in METHODS:
        for path in paths:
            if not isinstance(path, str):
                continue
            try:
                with references.limited():
                    item = references.followed(paths[path])
                    spec = references.followed(item.get(method))
                    if spec:
                        yield _operation(endpoints, path, method, item, spec)
            except SchemaError as error:
                yield path, str(error)


def _operation(
    endpoints: Endpoints, path: str, method: str, item: Schema, spec: Schema
) -> Operation:
    parameters: dict[tuple[str, str], Parameter] = {}
    for part in (*as_list(item.get("parameters")), *as_list(spec.get("parameters"))):
        for each in _parameters(endpoints, part):
            parameters[each.place, each.name] = each
    text = spec.get("summary") or spec.get("description")
    return Operation(
        path=path.partition("?")[0].partition("#")[0],
        method=method,
        parameters=tuple(parameters.values()),
        response=response_schema(endpoints, spec),
        headers=frozenset(_headers(endpoints, spec)),
        security=spec.get("security"),
        summary=" ".join(text.split()) if isinstance(text, str) else "",
        is_deprecated=spec.get("deprecated") is True,
    )


def _parameters(endpoints: Endpoints, part: Any) -> Iterator[Parameter]:
    """Yield a parameter, or the parts of one that is an object."""
    references = endpoints.references
    found = references.followed(part)
    name, place = found.get("name"), found.get("in")
    if not (isinstance(name, str) and isinstance(place, str) and name):
        return
    content = references.followed(found.get("content"))
    media = references.followed(next(iter(content.values()), None))
    # in Swagger 2.0 the parameter is its own schema
    schema = references.flat(found.get("schema") or media.get("schema") or found)
    options = [schema, *(references.flat(each) for each in union_of(schema))]
    properties = {
        str(key): references.flat(value)
        for each in options
        if isinstance(each.get("properties"), Mapping)
        for key, value in each["properties"].items()
    }
    text = found.get("description") or schema.get("description")
    description = " ".join(text.split()) if isinstance(text, str) else ""
    if place == "query" and properties:
        for key, own in properties.items():
            about = own.get("description")
            yield Parameter(
                f"{name}[{key}]", place, False, own, about if isinstance(about, str) else ""
            )
        return
    yield Parameter(name, place, found.get("required") is True, schema, description)


def _headers(endpoints: Endpoints, spec: Schema) -> Iterator[str]:
    references = endpoints.references
    responses = references.followed(spec.get("responses"))
    for status, each in responses.items():
        if str(status).startswith("2"):
            yield from map(str, references.followed(references.followed(each).get("headers")))
