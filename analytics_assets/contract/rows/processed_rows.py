"""Rows after the entry's own `processing_steps`, against the contract of what the API sends.

The document describes the API's rows, and steps may make others of them: drop fields, rename them,
add some. So a field is asked for as it was sent, unless the steps have changed it; and a value
that they have made must be one that its column can hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from analytics_assets.contract.column import Column, DataType, Hints
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.coercion import alters
from analytics_assets.contract.rows.conversion import ConversionError, RowConversion
from analytics_assets.contract.rows.row_type import OPEN_TYPES, row_type
from analytics_assets.contract.rows.storage_limits import LARGEST_EXACT, unstorable
from analytics_assets.contract.rows.validation import RowValidator

KINDS: tuple[tuple[type, DataType], ...] = (
    (bool, "bool"),
    (int, "bigint"),
    (float, "double"),
    (Decimal, "decimal"),
    (str, "text"),
    (datetime, "timestamp"),
    (date, "date"),
    (time, "time"),
    (dict, "json"),
    (list, "json"),
)
MISSING: Any = object()
Row = Mapping[str, Any]


class ProcessedRows:
    """Checks rows after the steps of an entry.

    Args:
        contract: the contract of the rows as the API sends them.
        hints: dlt's hints of the columns, by their names.

    Example:
        >>> price = Column("price", "price", "bigint", nullable=False)
        >>> check = ProcessedRows(Contract("orders", (price,)))
        >>> check.reason({"price": 5}), check.reason({}), check.reason({"price": "free"})
        (None, None, '`$.price`: Expected `bigint`, got `text` by `processing_steps`')
        >>> check.reason_against({"price": "5"}, {"price": "5"}, {"price": 5})
        >>> check.reason_against({"price": "5"}, {"price": "5"}, {"price": "5"})
        '`$.price`: Expected `int`, got `str`'
    """

    def __init__(self, contract: Contract, hints: Hints | None = None) -> None:
        self._contract, self._hints = contract, hints
        self._columns = [each for each in contract.columns if each.data_type not in OPEN_TYPES]
        self._type = row_type(map(_nullable, contract.columns))
        self._converted = RowConversion(contract, hints or {})
        self._validators: dict[frozenset[str], RowValidator] = {}

    def fit(self, rows: Sequence[Any]) -> bool:
        """Test if the columns can hold all values of some rows; quick where they do."""
        try:
            msgspec.convert(rows, list[self._type])  # type: ignore[name-defined]
        except msgspec.ValidationError:
            return not any(map(self.reason, rows))
        # msgspec takes any integer for a double
        return not any(
            type(value) is int and abs(value) > LARGEST_EXACT
            for column in self._columns
            if column.data_type == "double"
            for value in column.values(rows)
        )

    def reason(self, row: Any) -> str | None:
        """Return the reason against a row after the steps; None if its columns can hold it.

        A field that is missing is one that the steps have taken out.
        """
        if not isinstance(row, dict):
            return f"`$`: Expected `object`, got `{type(row).__name__}` by `processing_steps`"
        for column in self._columns:
            try:
                (value,) = column.values([row])
            except AttributeError:
                continue  # the object around it is another value now, with a column beside
            kind = _kind_of(value)
            if kind and _alters(column.data_type, kind, value):
                return (
                    f"`$.{column.field}`: Expected `{column.data_type}`, got `{kind}` by "
                    "`processing_steps`"
                )
        return None

    def shown(self, row: Any) -> Any:
        """Return a row that breaks the contract as steps get it: converted where it can be."""
        try:
            return self._converted(row)
        except ConversionError:
            return {name: self._value(name, row[name]) for name in row}

    def reason_against(self, sent: Any, shown: Any, row: Any) -> str | None:
        """Return the reason against a row whose original breaks the contract; None if it fits now.

        Args:
            sent: the row as the API sent it.
            shown: the row as the steps got it.
            row: what they have made of it.
        """
        if not (isinstance(sent, dict) and isinstance(row, dict)):
            return self.reason(row)
        touched = frozenset(name for name in shown.keys() | row.keys() if _differ(shown, row, name))
        untouched = {name: value for name, value in sent.items() if name not in touched}
        rejected = self._validator(touched).validate([untouched]).rejected
        return rejected[0].reason if rejected else (self.reason(row) or unstorable(row))

    def _value(self, name: str, value: Any) -> Any:
        try:
            return self._converted({name: value})[name]
        except ConversionError:
            return value

    def _validator(self, touched: frozenset[str]) -> RowValidator:
        """Return the validation of the fields that the steps have left as they were."""
        if touched not in self._validators:
            contract = replace(
                self._contract,
                columns=tuple(
                    each for each in self._contract.columns if each.path[0] not in touched
                ),
                primary_key=tuple(
                    each for each in self._contract.primary_key if each not in touched
                ),
            )
            self._validators[touched] = RowValidator(contract, self._hints)
        return self._validators[touched]


def _nullable(column: Column) -> Column:
    parents = tuple(replace(parent, nullable=True) for parent in column.parents)
    return replace(column, nullable=True, parents=parents)


def _differ(shown: Row, row: Row, name: str) -> bool:
    before, after = shown.get(name, MISSING), row.get(name, MISSING)
    return type(before) is not type(after) or bool(before != after)


def _kind_of(value: Any) -> DataType | None:
    """Return dlt's type of a value; None for null, and for a kind that dlt alone knows."""
    return next((kind for known, kind in KINDS if isinstance(value, known)), None)


def _alters(to_type: DataType, kind: DataType, value: Any) -> bool:
    is_cut = to_type == "bigint" and kind in ("double", "decimal") and value % 1 != 0
    return is_cut or alters(to_type, kind, value)
