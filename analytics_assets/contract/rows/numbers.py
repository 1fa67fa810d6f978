"""Numbers in JSON whose digits a double does not hold.

A number is a double where that has the same digits: of `0.1` and `12.50`, but not of
`12345678901234567.89`, which a double rounds to `...568`. Such a number is a `Decimal`: a decimal
column stores it as it is, and no other column does.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import msgspec

_HELD = 15  # digits that each double holds
_LONG = b"d" * (_HELD + 1)  # without a run of these, no number has more
_DIGITS = bytes(ord("d") if chr(code) in "0123456789." else ord(" ") for code in range(256))
_NUMBER = re.compile(rb"\d+(\.\d+)?([eE][+-]?\d+)?")


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
    if next(_long_fractions(body), None) is None:
        return msgspec.json.decode(body)
    return msgspec.json.Decoder(float_hook=partial(json_number, exact=exact)).decode(body)


def loses_digits(body: bytes) -> bool:
    """Test if a fraction in a JSON text has digits that a double does not hold."""
    return any(isinstance(json_number(text), Decimal) for text in _long_fractions(body))


def _long_fractions(body: bytes) -> Iterator[str]:
    """Yield the numbers with a fraction and so many digits that a double may not hold them."""
    digits = body.translate(_DIGITS)
    start = digits.find(_LONG)
    while start >= 0:
        number = _NUMBER.match(body, start)
        # a text follows its quotation mark
        if number and (number[1] or number[2]) and body[start - 1 : start] != b'"':
            text = number[0].decode()
            if sum(map(str.isdigit, text.lower().partition("e")[0])) > _HELD:
                yield text
        start = digits.find(_LONG, number.end() if number else start + len(_LONG))
