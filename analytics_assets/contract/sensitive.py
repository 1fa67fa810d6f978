"""Fields whose values are not shown: the policy's `sensitive`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics_assets.config.errors import ConfigurationError, did_you_mean
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.contract.contract import Contract, column_name

Path = tuple[str, ...]  # the columns of a field and of the objects around it


@dataclass(frozen=True)
class Sensitive:
    """Hides the values of sensitive fields, also within objects and lists.

    Args:
        paths: the paths of the fields; one is hidden wherever its path ends a value's path.

    Example:
        >>> sensitive = Sensitive(frozenset({("email",), ("owner", "name")}))
        >>> sensitive.hides("user__email"), sensitive.hides("name")
        (True, False)
        >>> sensitive.shown("owner", {"id": 7, "name": "Ada", "mails": [{"email": "a@b"}]})
        {'id': 7, 'mails': [{}]}
    """

    paths: frozenset[Path] = frozenset()

    @classmethod
    def of(cls, resource: ResourceConfig, contract: Contract) -> "Sensitive":
        """Return those of a resource's policy, by the names of fields and of columns."""
        names = resource.policy.sensitive
        given = {_path(name) for name in names}
        return cls(frozenset(given | {_path(contract.name_of(name)) for name in names}))

    def hides(self, column: str) -> bool:
        """Return True for a column without any value to show."""
        path = _path(column)
        return any(self._ends(path[: depth + 1]) for depth in range(len(path)))

    def shown(self, column: str, value: Any) -> Any:
        """Return the part of a column's value that may be shown; None for a hidden column.

        Args:
            column: the column of the value, or the field of a row as the API names it.
            value: the value; that of a JSON column may be its text.
        """
        if not self.paths:
            return value
        if self.hides(column):
            return None
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            try:
                value = json.loads(value)
            except ValueError:
                return value
        return self._part(_path(column), value)

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row of an API, or of a table, without what is hidden."""
        return {
            name: self.shown(name, value) for name, value in row.items() if not self.hides(name)
        }

    def _part(self, path: Path, value: Any) -> Any:
        if isinstance(value, list):
            return [self._part(path, each) for each in value]
        if not isinstance(value, dict):
            return value
        inner = {name: (*path, *_path(name)) for name in value}
        return {
            name: self._part(inner[name], each)
            for name, each in value.items()
            if not self._ends(inner[name])
        }

    def _ends(self, path: Path) -> bool:
        return any(path[-len(each) :] == each for each in self.paths)


def check_sensitive(resource: ResourceConfig, contract: Contract) -> None:
    """Refuse names that the contract does not know.

    Without a contract any name may be one, and so it may be where steps of the entry make fields.

    Raises:
        ConfigurationError: a name is unknown, as nothing would be hidden by it.
    """
    if not contract.has_schema or resource.merged_entry.get("processing_steps"):
        return
    known = dict.fromkeys(_known(resource, contract))
    objects = {each.name for each in contract.columns if each.data_type == "json"}
    for name in resource.policy.sensitive:
        outer, _, inner = name.partition(".")
        within = contract.name_of(outer) in objects and all(inner.split("."))
        if name not in known and not within:
            raise ConfigurationError(
                f"policy of `{resource.name}`: `sensitive` has `{name}`, which is neither a column "
                f"nor a field of the contract{did_you_mean(name, known)} A field within an "
                "object is given by its path, such as `user.email`."
            )


def _known(resource: ResourceConfig, contract: Contract) -> Iterable[str]:
    """Yield the names of columns, of fields, and of the last parts of their paths."""
    for column in contract.columns:
        yield from (column.name, column.field, column.path[-1])
        yield from (parent.name for parent in column.parents)
    yield from (*contract.rename, *contract.rename.values(), *resource.added_fields)
    hints = resource.columns
    yield from hints if isinstance(hints, dict) else ()


def _path(name: str) -> Path:
    """Return the columns that the parts of a name lead through."""
    return tuple(
        part for field in name.split(".") for part in column_name(field, {}).split("__") if part
    )
