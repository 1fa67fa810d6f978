"""Where an OpenAPI document says what the rows of an endpoint are."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dlt.sources.helpers.rest_client.detector import RECORD_KEY_PATTERNS, single_entity_path

from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.references import Followed, References, Schema, as_list

# a step down an answer: `.name`, `['name']`, `[*]` or `.*`
STEP = re.compile(r"""\.?(?:\[\s*(?:\*|'([^']+)'|"([^"]+)")\s*\]|\*|([^.\[\]*?()@\s]+))""")
NESTED = 3  # levels that dlt looks down an answer for its rows
EACH = None  # the step into the elements of a list


def row_schema(
    endpoints: Endpoints, path: str, method: str = "get", data_selector: str | None = None
) -> Schema | None:
    """Find the schema of the rows that an endpoint answers with.

    Args:
        endpoints: those of an OpenAPI document.
        path: the endpoint's path as in `api.py`: with dlt's placeholders or values for parameters,
            with or without the path of the server.
        method: the HTTP method.
        data_selector: where the rows are in an answer, a JSON path; without it they are where dlt
            would find them.

    Returns:
        The schema of a row; None if the document does not say.

    Raises:
        ContractError: a `$ref` leads nowhere.
    """
    references = endpoints.references
    answer = _answer(references, endpoints.operation(path, method))
    if not answer:
        return None
    if not data_selector and single_entity_path(path):
        data_selector = "$"  # as dlt does
    if not data_selector:
        return _guessed(references, answer)
    steps = _steps(data_selector)
    return None if steps is None else _selected(references, answer, steps)


def _answer(references: References, operation: Mapping[str, Any]) -> Any:
    """Return the schema of the answer that counts as a success."""
    responses = references.followed(operation.get("responses"))
    by_status = {str(status).upper(): response for status, response in responses.items()}
    others = sorted(status for status in by_status if status.startswith("2") and status != "2XX")
    for status in dict.fromkeys(["200", *others, "2XX", "DEFAULT"]):
        content = references.followed(references.followed(by_status.get(status)).get("content"))
        for media_type in sorted(filter(_is_json, content), key=_is_json):
            schema = references.followed(content[media_type]).get("schema")
            if isinstance(schema, dict):
                return schema
    return None


def _is_json(media_type: Any) -> int:
    """Rank a media type, the best first; 0 is none that can be JSON."""
    name = str(media_type).partition(";")[0].strip().lower()
    if name in ("application/json", "text/json"):
        return 1
    return 2 if name.endswith("+json") else 3 if name in ("*/*", "application/*") else 0


def _steps(selector: str) -> list[str | None] | None:
    """Split a JSON path; None if it does more than to step down."""
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
    """Go down an answer, and return what the rows at its end are."""
    flat, within = references.flat_within(schema, within)
    options = _options(flat)
    if options:
        each = [_selected(references, option, steps, within) for option in options]
        found = [rows for rows in each if rows]
        return {"anyOf": found} if len(found) > 1 else next(iter(found), None)
    if not steps:
        return flat.get("items") or None if _is_array(flat) else flat or None
    if steps[0] is EACH and _is_array(flat):
        return _selected(references, flat.get("items"), steps[1:])
    properties = flat.get("properties")
    others = flat.get("additionalProperties")
    if isinstance(properties, dict) and steps[0] in properties:
        return _selected(references, properties[steps[0]], steps[1:])
    return _selected(references, others, steps[1:]) if isinstance(others, dict) else None


def _guessed(references: References, answer: Any, within: Followed = frozenset()) -> Schema | None:
    """Return the rows of an answer where dlt would look for them."""
    flat, within = references.flat_within(answer, within)
    if _is_array(flat):
        return flat.get("items") or None
    each = [_guessed(references, option, within) for option in _options(flat)]
    found = [rows for rows in each if rows]
    if found:
        return found[0] if len(found) == 1 else None
    lists = list(_lists(references, flat, NESTED))
    preferred = [items for name, items in lists if name in RECORD_KEY_PATTERNS]
    # of several lists dlt takes the one that comes first in an answer, which no schema tells
    candidates = preferred or [items for _, items in lists]
    return candidates[0] if len(candidates) == 1 else None


def _lists(references: References, flat: Schema, depth: int) -> Iterator[tuple[str, Schema]]:
    """Find lists of objects in an answer, by the names of their properties."""
    properties = flat.get("properties")
    for name, schema in (properties if isinstance(properties, dict) else {}).items():
        part = references.flat(schema)
        if _is_array(part):
            items = references.flat(part.get("items"))
            if "properties" in items or _options(items) or "object" in as_list(items.get("type")):
                yield name, part["items"]
        elif depth > 1:
            yield from _lists(references, part, depth - 1)


def _is_array(flat: Schema) -> bool:
    return "array" in as_list(flat.get("type")) or ("type" not in flat and "items" in flat)


def _options(flat: Schema) -> list[Any]:
    """Return the schemas of a union that stands for the whole, null left out."""
    if "properties" in flat or _is_array(flat):
        return []
    union = flat.get("anyOf") or flat.get("oneOf")
    return [
        option
        for option in (union if isinstance(union, list) else ())
        if isinstance(option, dict) and option.get("type") != "null"
    ]
