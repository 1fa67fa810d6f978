"""The schema of an endpoint's rows, found in the schema of its response."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from analytics_assets.contract.compat import is_record_key, is_single_entity
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.references import (
    Followed,
    References,
    Schema,
    as_list,
    union_of,
)

# a step into a response: `.name`, `['name']`, `[*]` or `.*`
STEP = re.compile(r"""\.?(?:\[\s*(?:\*|'([^']+)'|"([^"]+)")\s*\]|\*|([^.\[\]*?()@\s]+))""")
MAX_DEPTH = 3  # levels of a response in which dlt searches for its rows
EACH = None  # the step into the elements of a list


def row_schema(
    endpoints: Endpoints,
    path: str,
    method: str = "get",
    data_selector: str | None = None,
    accepts_object: bool = False,
) -> Schema | None:
    """Find the schema of the rows that an endpoint responds with.

    Args:
        endpoints: those of an OpenAPI document.
        path: the endpoint's path as in `api.py`: with dlt's placeholders or values for parameters,
            with or without the path of the server.
        method: the HTTP method.
        data_selector: the JSON path of the rows in a response; without it they are where dlt
            finds them.
        accepts_object: True if there is one page alone, which may be a single object: dlt takes it
            for a row where it has no list.

    Returns:
        The schema of a row; None if the document has none.

    Raises:
        ContractError: a `$ref` leads nowhere.
    """
    references = endpoints.references
    response = response_schema(endpoints, endpoints.operation(path, method))
    if not references.followed(response):
        return None
    if not data_selector and is_single_entity(path):
        data_selector = "$"  # as dlt does
    if data_selector:
        steps = _steps(data_selector)
        rows = None if steps is None else _selected(references, response, steps)
    else:
        rows = _guessed(references, response, accepts_object)
    return rows if references.followed(rows) else None


def rows_may_be_absent(
    endpoints: Endpoints, path: str, method: str = "get", data_selector: str | None = None
) -> bool:
    """Return True if a document allows a response without a list of rows, or null in its place.

    Args:
        endpoints: those of an OpenAPI document.
        path: as for `row_schema`.
        method: the HTTP method.
        data_selector: the JSON path of the rows; False is returned for one with a filter.

    Raises:
        ContractError: a `$ref` leads nowhere.
    """
    steps = _steps(data_selector or "$")
    schema: Any = response_schema(endpoints, endpoints.operation(path, method))
    within: Followed = frozenset()
    if steps is None:
        return False
    for step in steps:
        flat, within = endpoints.references.flat_within(schema, within)
        properties = flat.get("properties")
        if step is EACH or not isinstance(properties, dict) or step not in properties:
            return False
        if step not in as_list(flat.get("required")):
            return True
        schema = properties[step]
    flat, _ = endpoints.references.flat_within(schema, within)
    kinds = [flat, *(each for each in union_of(flat) if isinstance(each, dict))]
    return any(kind.get("nullable") or "null" in as_list(kind.get("type")) for kind in kinds)


def response_schema(endpoints: Endpoints, operation: Mapping[str, Any]) -> Any:
    """Return the schema of the successful response of an operation; None if it has none in JSON."""
    references = endpoints.references
    responses = references.followed(operation.get("responses"))
    by_status = {str(status).upper(): each for status, each in responses.items()}
    others = sorted(status for status in by_status if status.startswith("2") and status != "2XX")
    known = [status for status in ("200", *others, "2XX") if status in by_status]
    for status in dict.fromkeys(known or ["DEFAULT"]):
        response = references.followed(by_status.get(status))
        content = references.followed(response.get("content"))
        if "schema" in response:  # Swagger 2.0 has one for all media types
            produces = operation.get("produces", endpoints.document.get("produces"))
            content = dict.fromkeys(as_list(produces) or ["application/json"], response)
        for media_type in sorted(filter(_is_json, content), key=_is_json):
            schema = references.followed(content[media_type]).get("schema")
            if isinstance(schema, dict):
                return schema
    return None


def _is_json(media_type: Any) -> int:
    """Rank a media type, 1 first; 0 is no JSON."""
    name = str(media_type).partition(";")[0].strip().lower()
    if name in ("application/json", "text/json"):
        return 1
    return 2 if name.endswith("+json") else 3 if name in ("*/*", "application/*") else 0


def _steps(selector: str) -> list[str | None] | None:
    """Split a JSON path; None if it has more than names and wildcards."""
    rest, steps = selector.strip().removeprefix("$"), list[str | None]()
    while rest:
        step = STEP.match(rest)
        if not step:
            return None
        steps.append(next(filter(None, step.groups()), EACH))
        rest = rest[step.end() :]
    return steps


def _selected(
    references: References, schema: Any, steps: list[str | None], within: Followed = frozenset()
) -> Schema | None:
    """Follow the steps into a response, and return the schema of the rows at their end."""
    flat, within = references.flat_within(schema, within)
    options = options_of(flat)
    if options:
        each = [_selected(references, option, steps, within) for option in options]
        found = [rows for rows in each if rows]
        return {"anyOf": found} if len(found) > 1 else next(iter(found), None)
    if not steps:
        return flat.get("items") or None if is_array(flat) else flat or None
    if steps[0] is EACH and is_array(flat):
        return _selected(references, flat.get("items"), steps[1:])
    properties = flat.get("properties")
    others = flat.get("additionalProperties")
    if isinstance(properties, dict) and steps[0] in properties:
        return _selected(references, properties[steps[0]], steps[1:])
    return _selected(references, others, steps[1:]) if isinstance(others, dict) else None


def _guessed(
    references: References, schema: Any, accepts_object: bool, within: Followed = frozenset()
) -> Schema | None:
    """Return the schema of the rows where dlt searches for them."""
    flat, within = references.flat_within(schema, within)
    if is_array(flat):
        return flat.get("items") or None
    options = options_of(flat)
    each = [_guessed(references, option, accepts_object, within) for option in options]
    found = [rows for rows in each if rows]
    if found:
        return found[0] if len(found) == 1 else None
    lists = list(_lists(references, flat, MAX_DEPTH))
    if not lists and accepts_object and "properties" in flat:
        return flat
    of_objects = [(name, part) for name, part in lists if has_objects(references, part)]
    preferred = [part for name, part in of_objects if is_record_key(name)]
    # of several lists dlt takes the first one of a response, which no schema orders
    candidates = preferred or [part for _, part in of_objects]
    return candidates[0]["items"] if len(candidates) == 1 else None


def _lists(references: References, flat: Schema, depth: int) -> Iterator[tuple[str, Schema]]:
    """Find lists in a response, by the names of their properties."""
    properties = flat.get("properties")
    for name, schema in (properties if isinstance(properties, dict) else {}).items():
        part = references.flat(schema)
        if is_array(part):
            yield name, part
        elif depth > 1:
            yield from _lists(references, part, depth - 1)


def has_objects(references: References, array: Schema) -> bool:
    """Test if the elements of a list are objects."""
    items = references.flat(array.get("items"))
    return (
        "properties" in items or bool(options_of(items)) or "object" in as_list(items.get("type"))
    )


def is_array(flat: Schema) -> bool:
    """Test if a schema, its references followed, is that of a list."""
    return "array" in as_list(flat.get("type")) or ("type" not in flat and "items" in flat)


def options_of(flat: Schema) -> list[Any]:
    """Return the schemas of a union in place of the whole, without null."""
    if "properties" in flat or is_array(flat):
        return []
    return [
        option
        for option in union_of(flat)
        if isinstance(option, dict) and option.get("type") != "null"
    ]
