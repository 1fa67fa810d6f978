"""Resolution of `$ref` and `allOf` in an OpenAPI document."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from analytics_assets.contract.errors import BrokenReferenceError, SchemaTooLargeError
from analytics_assets.contract.openapi.files import FILES, shown

Schema = Mapping[str, Any]
Followed = frozenset[str]
# of the schemas that lead to the columns of a resource; a table of 1,000 columns takes 50,000
MAX_PARTS = 200_000
MAX_KINDS = 100  # of the seven types of JSON
NULLABLE = ("nullable", "x-nullable")  # OpenAPI 3.0; an extension of Swagger 2.0, which has no own


class References:
    """Follows `$ref` within one document, and merges `allOf`.

    Args:
        document: an OpenAPI document, its further files bundled into it.
        place: the document's file, for errors.
    """

    def __init__(self, document: Mapping[str, Any], place: str = "The OpenAPI document") -> None:
        registry: Registry[Any] = Registry().with_resource("", Resource.opaque(document))
        self._resolver = registry.resolver()
        self._document = document
        self._place = place
        self._parts = 0
        self._targets: dict[str, Any] = {}
        self._outermost = ""  # the first reference of the path to a schema

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Count the parts of the schemas that are read inside the context.

        A schema that names another one twice, which does the same, is 2**40 parts long after 40
        of them.

        Raises:
            SchemaTooLargeError: the schemas have too many parts or levels.
        """
        self._parts = 0
        try:
            yield
        except RecursionError:
            raise self._too_large("has too many levels") from None

    def _count(self, parts: int) -> None:
        self._parts += parts
        if self._parts > MAX_PARTS:
            raise self._too_large(f"unfolds into more than {MAX_PARTS:,} parts")

    def _too_large(self, reason: str) -> SchemaTooLargeError:
        schema = f"the schema `{shown(self._outermost)}`" if self._outermost else "a schema"
        return SchemaTooLargeError(
            f"{self._place}: {schema} {reason}; shorten it there, or give the types of columns in "
            "the entry"
        )

    def followed(self, value: Any) -> Mapping[str, Any]:
        """Return an object, its `$ref` followed; {} for anything else.

        Raises:
            BrokenReferenceError: the `$ref` leads nowhere, or back to itself.
        """
        followed = set()
        while isinstance(value, dict) and isinstance(reference := value.get("$ref"), str):
            if reference in followed:
                raise self._broken(value, "which leads back to it")
            followed.add(reference)
            value = self._target(value)
        return value if isinstance(value, dict) else {}

    def _target(self, holder: Schema) -> Any:
        """Return the target of the `$ref` in an object, a JSON pointer."""
        reference: str = holder["$ref"]
        if reference in self._targets:
            return self._targets[reference]
        try:
            found = self._resolver.lookup(reference).contents
        # the library indexes texts and numbers like objects
        except (Unresolvable, TypeError, ValueError) as error:
            raise self._broken(holder, self._reason(reference, "which is not there")) from error
        if not isinstance(found, dict | bool):  # True and False are schemas too
            raise self._broken(holder, self._reason(reference, "which is no object"))
        self._targets[reference] = found
        return found

    def _reason(self, reference: str, otherwise: str) -> str:
        if not reference.startswith("#"):
            return (
                "which is no part of the document and is not fetched; bundle the document into "
                "one file, for example with `redocly bundle`"
            )
        name = shown(reference).partition("#")[0]
        file = self._document.get(FILES, {}).get(name) if name else None
        return f"but {file}" if isinstance(file, str) else otherwise

    def _broken(self, holder: Schema, reason: str) -> BrokenReferenceError:
        pointer = next(_pointers(self._document, holder, "#"), None)
        at = f" at `{shown(pointer)}`" if pointer else ""
        return BrokenReferenceError(
            f"{self._place}: the `$ref`{at} leads to `{shown(holder['$ref'])}`, {reason}"
        )

    def flat(self, schema: Any) -> Schema:
        """Return a schema with its own `$ref` and `allOf` merged into it.

        Its properties, items and options may contain further ones. Keys beside a `$ref` are added
        to its target, in OpenAPI 3.0 too, which forbids them.

        Args:
            schema: any part of a document where a schema should be.

        Returns:
            A schema without `$ref` and `allOf`; {} for anything else.
        """
        return self.flat_within(schema, frozenset())[0]

    def flat_within(self, schema: Any, within: Followed) -> tuple[Schema, Followed]:
        """Return a schema as `flat` does, for a walk through its options.

        Args:
            schema: any part of a document where a schema should be.
            within: the references that led here; following one again would not end.

        Returns:
            The schema, and the references that lead to its options.
        """
        if not isinstance(schema, dict):
            return {}, within
        reference, all_of = schema.get("$ref"), schema.get("allOf")
        parts = list(all_of) if isinstance(all_of, list) else []
        if isinstance(reference, str):
            self._outermost = self._outermost if within else reference
            parts.insert(0, {} if reference in within else self._target(schema))
            within = within | {reference}
        merged: dict[str, Any] = {}
        followed = within
        self._count(len(schema) + len(parts))
        for part in parts:
            flat, led = self.flat_within(part, within)
            followed |= led
            self._count(len(flat) + _copied(merged, flat))
            _merge(merged, flat)
        _merge(merged, {key: schema[key] for key in schema if key not in ("$ref", "allOf")})
        return merged, followed


def _pointers(part: Any, wanted: Schema, pointer: str) -> Iterator[str]:
    """Yield the JSON pointers at which a document has this very object."""
    if part is wanted:
        yield pointer
    parts = part.items() if isinstance(part, dict) else enumerate(part)
    for name, each in parts:
        if isinstance(each, dict | list):
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield from _pointers(each, wanted, f"{pointer}/{escaped}")


def _copied(merged: Schema, part: Schema) -> int:
    """Return the number of properties that are copied to merge a schema into another."""
    known, added = merged.get("properties"), part.get("properties")
    return len(known) + len(added) if isinstance(known, dict) and isinstance(added, dict) else 0


def _merge(merged: dict[str, Any], part: Schema) -> None:
    """Merge a schema into another; a row must meet both, as far as columns depend on it."""
    for key, value in part.items():
        known = merged.get(key)
        if key == "properties" and isinstance(known, dict) and isinstance(value, dict):
            both = {name: {"allOf": [known[name], value[name]]} for name in known if name in value}
            merged[key] = {**known, **value, **both}
        elif key == "required" and isinstance(known, list) and isinstance(value, list):
            merged[key] = [*known, *value]
        elif key in NULLABLE:
            merged[key] = known is True or value is True
        elif key in ("anyOf", "oneOf") and isinstance(known, list):
            merged[key] = known  # two unions say no more of the columns than one
        elif key == "type" and known is not None:
            known_kinds = as_list(known)[:MAX_KINDS]
            merged[key] = [kind for kind in as_list(value) if kind in known_kinds] or value
        else:
            merged[key] = value


def union_of(flat: Schema) -> list[Any]:
    """Return the options of `anyOf` or `oneOf`, empty if there is none."""
    union = flat.get("anyOf") or flat.get("oneOf")
    return union if isinstance(union, list) else []


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and a single value as a list of one."""
    return value if isinstance(value, list) else [] if value is None else [value]
