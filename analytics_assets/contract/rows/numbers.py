"""Numbers in JSON whose digits a double does not hold.

A number is a double where that has the same digits: of `0.1` and `12.50`, but not of
`12345678901234567.89`, which a double rounds to `...568`. Such a number is a `Decimal`: a decimal
column stores it as it is, and no other column does.
"""

import re
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import msgspec

# digits, without which each number is a double: 15 of them, and a point, are always held
_LONG = b"d" * 17
_DIGITS = bytes(ord("d") if chr(code) in "0123456789." else ord(" ") for code in range(256))
_FRACTION = re.compile(rb"[:,\[]\s*(-?(?=\d+[.eE])\d[\d.]{15,}(?:[eE][+-]?\d+)?)")


class ColumnDecimal(Decimal):
    """A number that fits its decimal column."""


def json_number(text: str, exact: bool = False) -> float | Decimal:
    """Return a number of JSON that has a fraction or an exponent.

    Args:
        text: the number.
        exact: True to have the digits as they are: programs write the double 0.1 with 17 digits,
            as 0.10000000000000001.

    Returns:
        The double that has these digits; if there is none, the number itself.

    Example:
        >>> json_number("12.50"), json_number("12345678901234567.89")
        (12.5, Decimal('12345678901234567.89'))
    """
    double = float(text)
    if repr(double) == text:
        return double
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return Decimal("NaN")
    if exact:
        return double if Decimal(repr(double)) == number else number
    return double if is_held(number) else number


def json_integer(text: str) -> int | Decimal:
    """Return an integer of JSON, also one of more digits than Python converts."""
    try:
        return int(text)
    except ValueError:
        return Decimal(text)


def is_held(number: Decimal) -> bool:
    """Test if a double, written with as many digits, is the same number."""
    if not number.is_finite() or not abs(number.adjusted()) < 310:
        return False
    digits = len(bytes(number.as_tuple().digits).rstrip(b"\0"))  # `normalize` rounds to 28
    return Decimal(f"{float(number):.{max(digits, 1) - 1}e}") == number


def decode_json(body: bytes, exact: bool = False) -> Any:
    """Decode JSON without loss of digits.

    Args:
        body: JSON in UTF-8.
        exact: as for `json_number`.

    Raises:
        msgspec.DecodeError: it is none, or Python's decoder alone accepts it.
        UnicodeDecodeError: it is not UTF-8.
        RecursionError: it is nested too deeply.
    """
    if not _may_be_long(body):
        return msgspec.json.decode(body)
    return msgspec.json.Decoder(float_hook=partial(json_number, exact=exact)).decode(body)


def loses_digits(body: bytes) -> bool:
    """Test if a fraction in a JSON text has digits that a double does not hold."""
    if not _may_be_long(body):
        return False
    return any(isinstance(json_number(text.decode()), Decimal) for text in _FRACTION.findall(body))


def _may_be_long(body: bytes) -> bool:
    return _LONG in body.translate(_DIGITS)
