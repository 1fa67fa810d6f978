"""Resolution of `$ref` and `allOf` in an OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from analytics_assets.contract.errors import BrokenReferenceError
from analytics_assets.contract.openapi.files import FILES, shown

Schema = Mapping[str, Any]
Followed = frozenset[str]
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
        reference = holder["$ref"]
        try:
            found = self._resolver.lookup(reference).contents
        # the library indexes texts and numbers like objects
        except (Unresolvable, TypeError, ValueError) as error:
            raise self._broken(holder, self._reason(reference, "which is not there")) from error
        if not isinstance(found, dict | bool):  # True and False are schemas too
            raise self._broken(holder, self._reason(reference, "which is no object"))
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
            parts.insert(0, {} if reference in within else self._target(schema))
            within = within | {reference}
        merged: dict[str, Any] = {}
        followed = within
        for part in parts:
            flat, led = self.flat_within(part, within)
            followed |= led
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
            merged[key] = [kind for kind in as_list(value) if kind in as_list(known)] or value
        else:
            merged[key] = value


def union_of(flat: Schema) -> list[Any]:
    """Return the options of `anyOf` or `oneOf`, empty if there is none."""
    union = flat.get("anyOf") or flat.get("oneOf")
    return union if isinstance(union, list) else []


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and a single value as a list of one."""
    return value if isinstance(value, list) else [] if value is None else [value]
