"""Numbers whose digits a double does not hold."""

import json
import random
import struct
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.rows.numbers import (
    decode_json,
    is_held,
    json_integer,
    json_number,
    loses_digits,
)

HELD = [
    "0.5",
    "12.50",
    "1.0",
    "-0.0",
    "1e3",
    "1E-7",
    "0.10000000000000001",  # the double 0.1, with 17 digits
    "0.1000000000000000055511151231257827021181583404541015625",  # with all its digits
    "0.30000000000000004",
    "123456789012345.67",
    "12.50000000000000000000",
    "9007199254740992.0",
    "1.7976931348623157e308",
    "5e-324",
]
LOST = [
    "12345678901234567.89",
    "0.12345678901234567890",
    "0.33333333333333333333",
    "9007199254740993.0",
    "9007199254740993e0",
    "1234567890123456.7",
    "-12345678901234567.89",
    "1.2345678901234567891e5",
    "1e400",
    "1e-400",
    "1e99999999999999999999",
]


@pytest.mark.parametrize("text", HELD)
def test_a_number_that_a_double_holds_is_one(text: str) -> None:
    assert (json_number(text), type(json_number(text))) == (float(text), float)
    assert decode_json(f'[{text}, {{"a": {text}}}]'.encode()) == [float(text), {"a": float(text)}]
    assert not loses_digits(f'[{text}, {{"a":{text}}}]'.encode())


@pytest.mark.parametrize("text", LOST)
def test_a_number_that_a_double_alters_keeps_its_digits(text: str) -> None:
    number = json_number(text)

    assert isinstance(number, Decimal)
    assert not is_held(number)
    if len(text) > 16 and number.is_finite():
        assert number == Decimal(text)
        assert decode_json(f'{{"a": [1, {text}]}}'.encode()) == {"a": [1, number]}
        assert all(loses_digits(found.encode()) for found in (f"[1,{text}]", f'{{"a": {text}}}'))


@pytest.mark.parametrize("text", ["0.10000000000000001", "0.30000000000000004", "12.50"])
def test_exact_digits_are_those_of_the_text(text: str) -> None:
    number = json_number(text, exact=True)

    assert Decimal(repr(number) if isinstance(number, float) else number) == Decimal(text)


def test_doubles_are_doubles_however_many_digits_they_are_written_with() -> None:
    chance = random.Random(5)
    doubles = [struct.unpack("d", chance.randbytes(8))[0] for _ in range(2000)]
    for double in [each for each in doubles if each == each and abs(each) < 1e308]:
        for text in (repr(double), f"{double:.17g}", f"{double:.25e}"):
            assert json_number(text) == double, text
            assert isinstance(json_number(text), float), text


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "12345678901234567.89", "n": 12345678901234567890, "a": [1, 2.5]}',
        b'{"a": 12345678901234567890}',
        b'["a:12345678901234567"]',
    ],
)
def test_texts_and_integers_are_as_they_were(body: bytes) -> None:
    assert decode_json(body) == json.loads(body)
    assert not loses_digits(body)


@pytest.mark.parametrize(
    ("text", "kind"), [("5", int), ("-" + "9" * 60, int), ("9" * 5000, Decimal)]
)
def test_an_integer_may_have_any_number_of_digits(text: str, kind: Any) -> None:
    number = json_integer(text)

    assert isinstance(number, kind)
    assert Decimal(number) == Decimal(text)
