"""The stored table of a resource, as far as it differs from its contract and its entry."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from dlt.common.schema.typing import TTableSchemaColumns

TYPE = ("data_type", "precision", "scale", "timezone")  # the parts of a hint that are a type


@dataclass(frozen=True)
class StoredTable:
    """Columns that a load writes as the table has them, whatever contract and entry say.

    Args:
        kept: columns that contract or entry declare with a type that the table cannot take over,
            with the type that they keep.
        undeclared: the table's other columns, which neither contract nor entry declares.
        elsewhere: declared columns whose values are in other columns of the table: a json column
            where the table has a column for each part, or a part where it has a json column.
    """

    kept: TTableSchemaColumns = field(default_factory=dict)
    undeclared: TTableSchemaColumns = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()

    def hints(self, declared: TTableSchemaColumns) -> TTableSchemaColumns:
        """Return the hints of a load.

        Args:
            declared: the hints by contract and entry, by column.
        """
        hints: TTableSchemaColumns = dict(self.undeclared)
        for name in [each for each in declared if each not in self.elsewhere]:
            hints[name] = {**hints.get(name, {}), **declared[name]}
        for name, kept in self.kept.items():
            own: Any = {key: hint for key, hint in hints.get(name, {}).items() if key not in TYPE}
            hints[name] = {**own, **kept}
        return hints

    def is_as_declared(self, columns: Collection[str]) -> bool:
        """Test if the table has, or takes over, the types of declared columns."""
        return not {*self.kept, *self.elsewhere}.intersection(columns)
