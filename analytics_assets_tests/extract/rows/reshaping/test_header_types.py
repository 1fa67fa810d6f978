"""Values are converted to the types that vendors give, or stay as they are."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.extract.rows.reshaping.header_types import converter

BIGINTS = st.integers(-(2**63), 2**63 - 1)


def converted(word: str, value: Any, exact: bool = False) -> Any:
    convert = converter(word, exact)
    return convert(value) if convert else value


@pytest.mark.parametrize(
    ("word", "value", "expected"),
    [
        ("TYPE_INTEGER", "12", 12),
        ("integer", "-12", -12),
        ("INT64", str(2**63 - 1), 2**63 - 1),
        ("UInt64", "0", 0),
        ("Nullable(Int32)", "5", 5),
        ("LowCardinality(Nullable(Int32))", "5", 5),
        ("TYPE_FLOAT", "12.5", 12.5),
        ("TYPE_CURRENCY", "12", 12.0),
        ("TYPE_SECONDS", "65.354838709677423", 65.354838709677423),
        ("TYPE_MILLISECONDS", "1e3", 1000.0),
        ("TYPE_STANDARD", "-0.5", -0.5),
        ("Float64", 5, 5.0),
        ("Decimal(18, 2)", "12.50", 12.5),
        ("DOUBLE PRECISION", "1", 1.0),
        ("BOOLEAN", "true", True),
        ("Bool", "False", False),
        ("DATE", "2026-01-31", date(2026, 1, 31)),
        ("Date32", "2026-01-31", date(2026, 1, 31)),
    ],
)
def test_a_value_of_its_type_is_converted(word: str, value: Any, expected: Any) -> None:
    found = converted(word, value)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *(
            ("INTEGER", text)
            for text in ("", "(not set)", "012", "1.0", "1e3", " 1", "+1", "\u0661")
        ),
        *(("INTEGER", value) for value in (None, 1.5, True, str(2**63), [1])),
        *(("FLOAT", text) for text in ("", "(other)", "01.5", "NaN", "Infinity", "1,5", ".5")),
        *(("FLOAT", value) for value in (None, True, 2**53 + 1, {"a": 1})),
        *(("BOOLEAN", value) for value in ("1", "0", "yes", 1, None)),
        *(("DATE", value) for value in ("20260131", "2026-02-30", "2026-01-31T00:00:00Z", 5)),
        *((word, "5") for word in ("STRING", "TYPE_UNSPECIFIED", "Array(Int64)", "DateTime", "")),
        *((word, "5") for word in ("Tuple(Int64)", "Intl", "interval", "points")),
    ],
)
def test_any_other_value_stays_as_it_is(word: str, value: Any) -> None:
    assert converted(word, value) is value


@pytest.mark.parametrize("word", [None, 5, ["Date"], {"type": "Date"}])
def test_a_word_that_is_none_converts_nothing(word: Any) -> None:
    assert not isinstance(word, str)
    assert converter(str(word), False) is None


def test_the_digits_of_a_number_stay_for_decimal_columns() -> None:
    assert converted("TYPE_CURRENCY", "12345678901234567.89", True) == Decimal(
        "12345678901234567.89"
    )
    assert converted("TYPE_CURRENCY", "12345678901234567.89") == Decimal("12345678901234567.89")


@given(st.one_of(BIGINTS.map(str), st.text(max_size=25)))
def test_an_integer_is_the_text_that_it_is_made_of(text: str) -> None:
    found = converted("INTEGER", text)

    assert str(found) == text


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False).map(repr), st.text(max_size=12)))
def test_a_number_has_the_value_of_the_text_that_it_is_made_of(text: str) -> None:
    found = converted("FLOAT", text)

    assert found is text or Decimal(repr(found)) == Decimal(text) or found == float(text)


@given(st.lists(st.one_of(BIGINTS, st.floats(allow_nan=False, allow_infinity=False))))
def test_numbers_of_one_type_are_of_one_type(values: list[Any]) -> None:
    found = [converted("FLOAT", value) for value in values]

    assert found == values
    assert all(type(each) is float for each in found if abs(each) <= 2**53)
