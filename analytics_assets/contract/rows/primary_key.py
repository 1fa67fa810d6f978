"""Primary keys that are different in the API's rows, and one key in a table."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from analytics_assets.contract.column import DataType, Hints
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.coercion import alters
from analytics_assets.contract.rows.numbers import ColumnDecimal
from analytics_assets.contract.rows.observed_fields import data_type_of

JSON_TYPES = {
    bool: "boolean",
    int: "number",
    float: "number",
    Decimal: "number",
    ColumnDecimal: "number",
    str: "string",
    dict: "object",
    list: "array",
}
MISSING_KEY = "missing primary key"
# of a key whose column only the table types
STORED_TYPES = {
    "bigint": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "text": "string",
}
BELOW_MICROSECOND = re.compile(r"\.\d{6}\d*[1-9]", re.ASCII)


class PrimaryKeyCheck:
    """Checks the primary keys of one load's rows.

    Args:
        contract: the contract with the key. A part of the key without a type in the contract keeps
            the type that the stored table or the first row has; times are compared to the
            microsecond, as in a column.
        hints: dlt's hints of the columns, by their names. A part of the key whose type is in them
            must be of it, as a key has no column beside it.

    Attributes:
        types: the JSON type of each part of the key whose type is in neither of the two.

    Example:
        >>> check = PrimaryKeyCheck(Contract("orders", primary_key=("id",)))
        >>> check.learn([{"id": 1}])
        >>> check.reason({"id": "1"})
        '`$.id`: Expected `number` as in the rows before, got `string`; a table may merge both'
    """

    def __init__(self, contract: Contract, hints: Hints | None = None) -> None:
        types = {column.field: column.data_type for column in contract.columns}
        self._key = contract.primary_key
        hinted = {
            part: (hints or {}).get(contract.name_of(part), {}).get("data_type")
            for part in contract.primary_key
            if part not in types
        }
        self._hinted = {part: kind for part, kind in hinted.items() if kind}
        self._untyped = [part for part in hinted if not hinted[part]]
        self._times = [
            part for part in contract.primary_key if types.get(part) in ("timestamp", "time")
        ]
        stored = {
            part: contract.table.undeclared.get(contract.name_of(part), {})
            for part in self._untyped
        }
        kinds = {
            part: STORED_TYPES.get(str(hint.get("data_type"))) for part, hint in stored.items()
        }
        self.types: dict[str, str] = {part: kind for part, kind in kinds.items() if kind}
        self._in_table = dict(self.types)

    def missing(self, row: dict[str, Any]) -> str | None:
        """Return the reason against a row without its key; None if it has all parts."""
        for part in self._key:
            if row.get(part) is None:
                return f"`$.{part}`: {MISSING_KEY}"
        return None

    def accepts(self, page: Sequence[dict[str, Any]]) -> bool:
        """Test if a table distinguishes all these keys from each other and from those before."""
        for part in self._untyped:
            kinds = {_json_type(kind) for kind in {type(row.get(part)) for row in page}}
            if len(kinds) > 1 or self.types.get(part) not in (None, *kinds):
                return False
        for part, kind in self._hinted.items():
            if any(_altered(row.get(part), kind) for row in page):
                return False
        return not any(
            BELOW_MICROSECOND.search("\n".join([str(row.get(part)) for row in page]))
            for part in self._times
        )

    def learn(self, page: Sequence[dict[str, Any]]) -> None:
        """Keep the types of the first row that is loaded."""
        for part in self._untyped if page else ():
            self.types.setdefault(part, _json_type(type(page[0].get(part))))

    def reason(self, row: dict[str, Any]) -> str | None:
        """Return the reason why a table might not distinguish a row's key; None if it does."""
        for part in self._untyped:
            kind = _json_type(type(row.get(part)))
            before = self.types.get(part, kind)
            if kind != before:
                if part in self._in_table:
                    hint = f'"columns": {{"{part}": {{"data_type": "text"}}}}'
                    return (
                        f"`$.{part}`: Expected `{before}` as in the table, got `{kind}`; its "
                        f"column holds both with {hint}"
                    )
                return (
                    f"`$.{part}`: Expected `{before}` as in the rows before, got `{kind}`; a table "
                    "may merge both"
                )
        for part, kind in self._hinted.items():
            if _altered(row.get(part), kind):
                return f"`$.{part}`: Expected `{kind}`, got `{data_type_of(row.get(part))}`"
        for part in self._times:
            if BELOW_MICROSECOND.search(str(row.get(part))):
                return (
                    f"`$.{part}`: digits below the microsecond, by which a table cannot tell keys "
                    "apart"
                )
        return None


def _altered(value: Any, kind: DataType) -> bool:
    return alters(kind, data_type_of(value), value)


def _json_type(kind: type) -> str:
    return JSON_TYPES.get(kind, kind.__name__)
