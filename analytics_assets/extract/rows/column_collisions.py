"""Fields of an API's rows that would become one column, and dlt's own columns among them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from analytics_assets.contract.contract import Contract, column_name
from analytics_assets.extract.http.errors import ApiError

DLTS_OWN = "_dlt"  # what dlt's own columns begin with
Path = tuple[str, ...]


class FieldCollisionError(ApiError):
    """Two fields of an API's rows would become one column."""


class Collisions:
    """Looks at all fields of a load, those within others included, and at what they become.

    dlt makes `a__b` of the field `b` within the field `a`, and a table of a list. Where two fields
    become one column, one overwrites the other without a word.

    Args:
        contract: the resource, and how its fields are renamed.
        whole: columns that are kept as they are, so that their parts become none.
        deepest: how many levels dlt goes down, the entry's `max_table_nesting`; None is all.

    Example:
        >>> Collisions(Contract("orders")).look([{"a__b": 1, "a": {"b": 2}}])
        Traceback (most recent call last):
        ...
        analytics_assets.extract.rows.column_collisions.FieldCollisionError: orders: its ...
    """

    def __init__(
        self, contract: Contract, whole: Collection[str] = (), deepest: int | None = None
    ) -> None:
        self._contract = contract
        self._whole = whole
        self._deepest = deepest
        # they are no objects or lists, or stay JSON
        self._typed = {each.field for each in contract.columns}
        self._fields: set[str] = set()
        self._parts: dict[Path, str] = {}
        self._owners: dict[str, Path] = {}

    def look(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take notice of the fields of a page.

        Raises:
            FieldCollisionError: one would overwrite another in the table, or a column of dlt's.
        """
        for field in set().union(*rows) - self._fields:
            self._own(self._contract.name_of(field), (field,))
            self._fields.add(field)
        for field in self._fields - self._typed:
            for value in [row[field] for row in rows if field in row]:
                if type(value) in (dict, list):
                    self._look_within(value, (field,), self._contract.name_of(field), 1)

    def _look_within(self, value: Any, path: Path, column: str, depth: int) -> None:
        if column in self._whole or (self._deepest is not None and depth > self._deepest):
            return
        if isinstance(value, list):
            for part in value:
                if isinstance(part, dict | list):
                    self._look_within(part, (*path, "[]"), f"{column}[]", depth)
            return
        for field, part in value.items():
            inner = (*path, field)
            if inner not in self._parts:
                name = f"{column}__{column_name(field, {})}".replace("[]__", "[].")
                self._own(name, inner)
                self._parts[inner] = name
            if isinstance(part, dict | list):
                self._look_within(part, inner, self._parts[inner], depth + 1)

    def _own(self, column: str, path: Path) -> None:
        other = self._owners.setdefault(column, path)
        if column.rpartition(".")[2].startswith(DLTS_OWN):
            problem = f"its field `{_dotted(path)}` would become a column of dlt's own"
        elif other != path:
            problem = f"its fields `{_dotted(other)}` and `{_dotted(path)}` would both become the "
            problem += f"column `{column}`"
        else:
            return
        within = max(path, other, key=len)
        mends = []
        if 1 in (len(path), len(other)):
            mends.append("give one of them another name by `rename` in the resource's policy")
        if len(within) > 1:
            hint = f'"columns": {{"{within[0]}": {{"data_type": "json"}}}}'
            mends.append(f"keep `{within[0]}` whole by {hint} in the entry")
        raise FieldCollisionError(f"{self._contract.resource}: {problem}: {', or '.join(mends)}.")


def _dotted(path: Path) -> str:
    return ".".join(path).replace(".[]", "[]")
