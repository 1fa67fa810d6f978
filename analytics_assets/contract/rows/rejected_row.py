"""The JSON text of a rejected row, and the primary key in it."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from secrets import token_hex
from typing import Any

import msgspec

from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.conversion import (
    PRECISION,
    ConversionError,
    RowConversion,
)
from analytics_assets.contract.rows.numbers import json_integer, json_number
from analytics_assets.contract.rows.primary_key import PrimaryKeyCheck
from analytics_assets.contract.rows.row_type import row_type
from analytics_assets.contract.rows.storage_limits import unstorable

# of a key: the digits that a decimal column has are known to a load alone
LONGEST = {"precision": 2 * PRECISION, "scale": PRECISION}


def text_of(row: Any) -> str:
    """Return the JSON text of a row, with all digits of its numbers.

    What JSON does not know is written as Python does: NaN, half of a surrogate pair as an escape.
    The text itself is ASCII without NUL, which each warehouse stores.

    Args:
        row: the row, decoded from JSON; it may have decimals, dates and times.

    Example:
        >>> text_of({"price": Decimal("12345678901234567.89")})
        '{"price": 12345678901234567.89}'
    """
    mark = token_hex(8)

    def encode(value: Any) -> str:
        if isinstance(value, Decimal):
            return f"{mark}{value}{mark}"
        return value.isoformat() if isinstance(value, datetime | date | time) else str(value)

    try:
        text = json.dumps(row, default=encode)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = json.dumps(_with_decimals(row), default=encode)
    return re.sub(f'"{mark}([^"]*){mark}"', r"\1", text) if mark in text else text


def row_of(text: str) -> Any:
    """Return the row of a JSON text that `text_of` wrote, with all digits of its numbers."""
    return json.loads(text, parse_float=partial(json_number, exact=True), parse_int=json_integer)


def _with_decimals(value: Any) -> Any:
    """Return a value with decimals in place of its integers, which have no limit of digits."""
    if isinstance(value, dict):
        return {name: _with_decimals(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_decimals(part) for part in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _plain(value: Any) -> Any:
    """Return an integer for 7.0, which JSON does not tell from 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class RowKeys:
    """Primary keys of rejected rows.

    Args:
        contract: the contract with the key.

    Example:
        >>> RowKeys(Contract("orders", primary_key=("id",))).of({"id": 7, "price": "none"})
        {'id': 7}
    """

    def __init__(self, contract: Contract) -> None:
        self._fields = contract.primary_key
        self._type = row_type(
            each for each in contract.columns if each.path in [(part,) for part in self._fields]
        )
        self._check = PrimaryKeyCheck(contract)
        self._converted = RowConversion(contract, dict.fromkeys(contract.key_columns, LONGEST))

    def of(self, row: Any) -> Mapping[str, Any] | None:
        """Return the primary key of a row by the API's names; None if no valid row can have it."""
        if not isinstance(row, dict) or not self._fields:
            return None
        key = {part: _plain(row.get(part)) for part in self._fields}
        if any(value is None or isinstance(value, dict | list) for value in key.values()):
            return None
        try:
            key = self._converted(key)
            msgspec.convert(key, self._type)
        except (ConversionError, msgspec.ValidationError, UnicodeEncodeError):
            return None
        return None if unstorable(key) or self._check.reason(key) else key
