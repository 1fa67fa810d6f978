"""Resolution of `$ref` and `allOf` in an OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from analytics_assets.contract.errors import ContractError

Schema = Mapping[str, Any]
Followed = frozenset[str]


class References:
    """Follows `$ref` within one document, and merges `allOf`.

    Args:
        document: an OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        registry: Registry[Any] = Registry().with_resource("", Resource.opaque(document))
        self._resolver = registry.resolver()

    def target(self, reference: str) -> Any:
        """Return the target of a JSON pointer such as `#/components/schemas/User`.

        Raises:
            ContractError: it leads nowhere, or out of the document.
        """
        try:
            return self._resolver.lookup(reference).contents
        # the library indexes texts and numbers like objects
        except (Unresolvable, TypeError, ValueError) as error:
            remedy = (
                "correct the document"
                if reference.startswith("#")
                else "bundle the document into one file, for example with `redocly bundle`"
            )
            raise ContractError(
                f"The OpenAPI document refers to `{reference}`, which it does not hold; {remedy}."
            ) from error

    def followed(self, value: Any) -> Mapping[str, Any]:
        """Return an object, its `$ref` followed; {} for anything else."""
        followed = set()
        while isinstance(value, dict) and isinstance(reference := value.get("$ref"), str):
            if reference in followed:
                return {}
            followed.add(reference)
            value = self.target(reference)
        return value if isinstance(value, dict) else {}

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
            parts.insert(0, {} if reference in within else self.target(reference))
            within = within | {reference}
        merged: dict[str, Any] = {}
        followed = within
        for part in parts:
            flat, led = self.flat_within(part, within)
            followed |= led
            _merge(merged, flat)
        _merge(merged, {key: schema[key] for key in schema if key not in ("$ref", "allOf")})
        return merged, followed


def _merge(merged: dict[str, Any], part: Schema) -> None:
    """Merge a schema into another; a row must meet both, as far as columns depend on it."""
    for key, value in part.items():
        known = merged.get(key)
        if key == "properties" and isinstance(known, dict) and isinstance(value, dict):
            both = {name: {"allOf": [known[name], value[name]]} for name in known if name in value}
            merged[key] = {**known, **value, **both}
        elif key == "required" and isinstance(known, list) and isinstance(value, list):
            merged[key] = [*known, *value]
        elif key == "nullable":
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
