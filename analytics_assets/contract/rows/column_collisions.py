"""Fields of an API's rows that collide in one column, or with a column of dlt's."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dlt.common.schema.typing import DLT_NAME_PREFIX

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.contract.column import variant_of
from analytics_assets.contract.contract import Contract, column_name

Path = tuple[str, ...]


class FieldCollisionError(AnalyticsAssetsError):
    """Two fields of an API's rows would become one column."""


class ColumnCollisions:
    """Checks the columns of all fields of a load, nested fields included.

    dlt makes `a__b` of the field `b` within the field `a`, a table of a list, and `a__v_text` of
    texts where the column `a` has another type. Where two fields become one column, one overwrites
    the other silently.

    Args:
        contract: the resource, and the names of its columns.
        whole: columns that stay JSON, so that their parts become no columns.
        max_nesting: levels that dlt unnests, the entry's `max_table_nesting`; None is all.

    Example:
        >>> ColumnCollisions(Contract("orders")).check([{"a__b": 1, "a": {"b": 2}}])
        Traceback (most recent call last):
        ...
        analytics_assets.contract.rows.column_collisions.FieldCollisionError: orders: its ...
    """

    def __init__(
        self, contract: Contract, whole: Collection[str] = (), max_nesting: int | None = None
    ) -> None:
        self._contract = contract
        self._whole = whole
        self._max_nesting = max_nesting
        # neither objects nor lists, or JSON columns
        columns = [each for each in contract.columns if each.name not in contract.table.elsewhere]
        self._typed = {each.field for each in columns}
        self._fields: set[str] = set()
        self._parts: dict[Path, str] = {}
        self._owners: dict[str, Path] = {}
        self._variants: dict[str, Path] = {}  # fields in the place of a variant, by its column

    def check(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Check the fields of a page.

        Raises:
            FieldCollisionError: one would overwrite another in the table, or a column of dlt's.
        """
        for field in set().union(*rows) - self._fields:
            self._claim(self._contract.name_of(field), (field,))
            self._fields.add(field)
        for field in self._fields - self._typed:
            for value in [row[field] for row in rows if field in row]:
                if type(value) in (dict, list):
                    self._check_within(value, (field,), self._contract.name_of(field), 1)

    def _check_within(self, value: Any, path: Path, column: str, depth: int) -> None:
        if column in self._whole or (self._max_nesting is not None and depth > self._max_nesting):
            return
        if isinstance(value, list):
            for part in value:
                if isinstance(part, dict | list):
                    self._check_within(part, (*path, "[]"), f"{column}[]", depth)
            return
        for field, part in value.items():
            inner = (*path, field)
            if inner not in self._parts:
                name = f"{column}__{column_name(field, {})}".replace("[]__", "[].")
                self._claim(name, inner)
                self._parts[inner] = name
            if isinstance(part, dict | list):
                self._check_within(part, inner, self._parts[inner], depth + 1)

    def _claim(self, column: str, path: Path) -> None:
        other = self._owners.setdefault(column, path)
        variant = variant_of(column)
        if variant:
            self._variants[variant] = path
        beside = self._owners.get(variant) if variant else self._variants.get(column)
        if column.rpartition(".")[2].startswith(DLT_NAME_PREFIX):
            problem = f"its field `{_dotted(path)}` would become a column of dlt's own"
        elif other != path:
            problem = f"its fields `{_dotted(other)}` and `{_dotted(path)}` would both become the "
            problem += f"column `{column}`"
        elif beside:
            field, other = (beside, path) if variant else (path, beside)
            problem = (
                f"its field `{_dotted(other)}` has the name of the variant column in which dlt "
            )
            problem += f"stores values of `{_dotted(field)}` of a second type"
        else:
            return
        within = max(path, other, key=len)
        remedies = []
        if 1 in (len(path), len(other)):
            remedies.append("give one of them another name by `rename` in the resource's policy")
        if len(within) > 1:
            hint = f'"columns": {{"{within[0]}": {{"data_type": "json"}}}}'
            remedies.append(f"keep `{within[0]}` whole by {hint} in the entry")
        raise FieldCollisionError(
            f"{self._contract.resource}: {problem}: {', or '.join(remedies)}."
        )


def _dotted(path: Path) -> str:
    return ".".join(path).replace(".[]", "[]")
