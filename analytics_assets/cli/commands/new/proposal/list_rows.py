"""The rows in the answer of an operation, and the fields beside them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analytics_assets.cli.commands.new.proposal.names import singular_of
from analytics_assets.cli.commands.new.proposal.operation import Operation
from analytics_assets.contract.compat import is_record_key, is_single_entity
from analytics_assets.contract.openapi.references import References, Schema, as_list, union_of
from analytics_assets.contract.openapi.response_schema import (
    MAX_DEPTH,
    has_objects,
    is_array,
    options_of,
)
from analytics_assets.extract.paging.evidence.counts import TOTALS
from analytics_assets.extract.paging.evidence.fields import Field, fields_of
from analytics_assets.extract.paging.evidence.finder import CONTAINERS
from analytics_assets.extract.paging.evidence.flags import MORE
from analytics_assets.extract.paging.evidence.next_page import LINKS, NEXT
from analytics_assets.extract.rows.response_body import ERRORS, json_path, plain_name

LINK = "https://api.example.com/next"  # the sample of a link; that of a token is no URL
TOKEN = "token"  # noqa: S105  # a sample
LINK_FORMATS = ("uri", "url", "uri-reference", "iri")
LINK_NAMES = ("url", "uri", "link", "href")
NO_ROWS = ERRORS | {"warnings"} | LINKS | CONTAINERS - {"response", "info", "page"}
ONE_OBJECT = "it answers with one object, no list"
OF_PAGES = NEXT | MORE | TOTALS


@dataclass(frozen=True)
class ListRows:
    """The rows of an operation that answers with a list.

    Args:
        selector: the JSON path of the rows; None if the body itself is their list.
        schema: the schema of a row, references followed; empty if the document has none.
        fields: the fields of the body beside the rows, each with a sample of its value.
        references: those of the document.
        check: what is to be checked about the selector; None if the document says it.
    """

    selector: str | None
    schema: Schema
    fields: tuple[Field, ...]
    references: References
    check: str | None = None

    @cached_property
    def properties(self) -> Mapping[str, Schema]:
        """The fields of a row, references followed."""
        return _properties(self.references, self.schema)


def find_rows(references: References, operation: Operation, is_list: bool) -> ListRows | str:
    """Find the rows in the answer of an operation.

    Args:
        references: those of the document.
        operation: the operation.
        is_list: True if it has parameters of a list, such as the number of a page.

    Returns:
        The rows; or the reason why it is no list.
    """
    flat = references.flat(operation.response)
    if not flat and is_list and not is_single_entity(operation.path):
        return ListRows(None, {}, (), references, "the document does not describe the answer")
    if not flat:
        return "the document does not describe its answer as JSON"
    if is_array(flat):
        return _of_body(references, flat)
    if "properties" not in flat and (options := options_of(flat)):
        flats = [references.flat(option) for option in options]
        lists = [each for each in flats if is_array(each)]
        flat = lists[0] if lists else next((each for each in flats if "properties" in each), flat)
        if lists:
            return _of_body(references, flat)
    properties = flat.get("properties")
    if not isinstance(properties, dict) or not properties:
        return "it answers with an object without names of its own, no list"
    return _of_object(references, operation, flat, is_list)


def _of_body(references: References, flat: Schema) -> ListRows | str:
    items = references.flat(flat.get("items"))
    if not items:
        return ListRows(None, {}, (), references, "the document does not describe the rows")
    if not has_objects(references, flat):
        return "it answers with a list of values, not of objects"
    return ListRows(None, items, (), references)


def _of_object(
    references: References, operation: Operation, flat: Schema, is_list: bool
) -> ListRows | str:
    lists = list(_lists(references, flat))
    fields = _fields_beside(references, flat, lists)
    nouns = _nouns(operation)
    # an order may have pages of its own lines
    if not is_list and _has_key(flat, nouns):
        return ONE_OBJECT
    is_list = is_list or any(field.plain in OF_PAGES for field in fields)
    if not is_list and is_single_entity(operation.path):
        return ONE_OBJECT
    ranks = {path: _rank(path, nouns) for path, _ in lists}
    best = max(ranks.values(), default=0)
    found = [(path, items) for path, items in lists if ranks[path] == best]
    found = [each for each in found if len(each[0]) == min(len(path) for path, _ in found)]
    if not found and is_list and _has_key(flat, nouns) and not is_single_entity(operation.path):
        one = "the document has one object in place of a list, which the parameters page"
        return ListRows(None, flat, (), references, one)
    if not found:
        return "it answers with an object without a list of objects"
    if best == 0 and not is_list and (len(lists) > 1 or len(flat["properties"]) > 3):
        return ONE_OBJECT
    path, items = found[0]
    check = None
    if len(found) > 1:
        others = ", ".join(f"`{json_path(path)}`" for path, _ in found[1:3])
        check = f"the answer has other lists, too: {others}"
    elif best == 0 and len(lists) > 1:
        check = "no list in the answer has a name that says it is the rows"
    elif not items:
        check = "the document does not describe the rows"
    return ListRows(json_path(path), items, fields, references, check)


def _has_key(flat: Schema, nouns: Collection[str]) -> bool:
    """Return True if a body has a key of its own, like a row that has lists in it."""
    names = {plain_name(str(name)) for name in flat["properties"]}
    return bool({"id", "uuid", *(f"{singular_of(noun)}id" for noun in nouns)} & names)


def _nouns(operation: Operation) -> list[str]:
    """Return the last names of the path, plain: `orders` of `/v1/users/{id}/orders.json`."""
    names = [part for part in operation.segments if not part.startswith("{")]
    return [plain_name(part) for part in names[-1].split(".")] if names else [""]


def _rank(path: tuple[str, ...], nouns: Collection[str]) -> int:
    name = singular_of(plain_name(path[-1]))
    if name in map(singular_of, nouns):
        return 3
    return 2 if is_record_key(path[-1].lower()) else 0


def _lists(
    references: References, flat: Schema, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Yield the lists of objects in a body: their paths and the schemas of a row."""
    properties = flat.get("properties")
    for name, schema in (properties if isinstance(properties, dict) else {}).items():
        part = _without_null(references, schema)
        if is_array(part):
            items = references.flat(part.get("items"))
            is_record = is_record_key(str(name).lower())
            # an untyped list may have rows; that of links is none
            has_rows = has_objects(references, part) if items else is_record
            if has_rows and plain_name(str(name)) not in NO_ROWS:
                yield (*path, str(name)), items
        elif len(path) + 1 < MAX_DEPTH:
            yield from _lists(references, part, (*path, str(name)))


def _without_null(references: References, schema: Any) -> Schema:
    """Return a schema, references followed; of a union with null its other part."""
    flat = references.flat(schema)
    if flat.get("type") or "properties" in flat:
        return flat
    options = [references.flat(option) for option in union_of(flat)]
    kept = [option for option in options if option and option.get("type") != "null"]
    return kept[0] if len(kept) == 1 else flat


def _fields_beside(
    references: References, flat: Schema, lists: list[tuple[tuple[str, ...], Schema]]
) -> tuple[Field, ...]:
    """Return the fields of a body by which it describes the read, with samples of their values."""
    on_the_way = {plain_name(name) for path, _ in lists for name in path[:-1]}
    containers = CONTAINERS | LINKS | on_the_way
    sample = _sample(references, flat, containers | NEXT)
    return tuple(fields_of(sample, containers))


def _sample(references: References, flat: Schema, containers: frozenset[str] | set[str]) -> Any:
    properties = flat.get("properties")
    found: dict[str, Any] = {}
    for name, schema in (properties if isinstance(properties, dict) else {}).items():
        if not isinstance(name, str):
            continue
        part = _without_null(references, schema)
        is_container = plain_name(name) in containers
        if is_array(part):
            items = references.flat(part.get("items")).get("properties")
            names = items.keys() if isinstance(items, dict) else set()
            is_links = is_container and {"rel", "relation"} & names
            found[name] = [_sample_link(names)] if is_links else None
        elif "properties" in part:
            found[name] = _sample(references, part, containers) if is_container else None
        else:
            found[name] = _sample_scalar(name, part)
    return found


def _sample_link(names: Collection[Any]) -> dict[str, str]:
    return {str(name): "next" if name in ("rel", "relation") else LINK for name in names}


def _sample_scalar(name: str, part: Schema) -> Any:
    kinds = as_list(part.get("type"))
    if "boolean" in kinds:
        return True
    if "integer" in kinds or "number" in kinds:
        return 1
    if kinds and "string" not in kinds:
        return None
    shown = part.get("example", part.get("default"))
    is_named = plain_name(name).endswith(LINK_NAMES)
    is_shown = isinstance(shown, str) and shown.startswith(("http", "/"))
    is_link = part.get("format") in LINK_FORMATS or is_named or is_shown
    return LINK if is_link else TOKEN


def _properties(references: References, schema: Schema) -> dict[str, Schema]:
    """Return the properties of a row, those of a union together."""
    flat = references.flat(schema)
    own = flat.get("properties")
    found = dict(own) if isinstance(own, dict) else {}
    for option in options_of(flat):
        for name, part in _properties(references, option).items():
            found.setdefault(name, part)
    return {
        name: _without_null(references, part)
        for name, part in found.items()
        if isinstance(name, str)
    }
