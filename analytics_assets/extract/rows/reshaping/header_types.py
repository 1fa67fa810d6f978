"""The types that vendors give beside the names of columns.

A value is converted if the type's form has the same value, digit by digit; else it stays as it is,
so that the contract rejects it, or a column beside holds it.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import cache, partial
from typing import Any

from analytics_assets.contract.rows.coercion import BIGINT_TEXT, BOOLEANS, JSON_NUMBER, LONGEST
from analytics_assets.contract.rows.numbers import json_number
from analytics_assets.contract.rows.storage_limits import BIGINT, LARGEST_EXACT

Convert = Callable[[Any], Any]
# of Google Analytics, https://developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/MetricType,
# of SQL, and of ClickHouse, https://clickhouse.com/docs/sql-reference/data-types
INTEGERS = re.compile(r"(type_)?(integer|int|bigint|smallint|tinyint|long)|u?int\d+")
NUMBERS = re.compile(
    r"type_(float|standard|currency|seconds|milliseconds|minutes|hours|feet|miles|meters|"
    r"kilometers)|float\d*|double( precision)?|real|b?float\d+|decimal\d*|numeric|currency|percent"
)
TRUTH_VALUES = ("boolean", "bool", "type_boolean")
DATES = ("date", "date32")
AROUND = re.compile(r"(?:nullable|lowcardinality)\((.*)\)", re.IGNORECASE)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@cache
def converter(word: Any, exact: bool) -> Convert | None:
    """Return the conversion to a vendor's type.

    Args:
        word: the vendor's name of the type.
        exact: True to keep the digits of all numbers, for decimal columns.

    Returns:
        A function of a value; None for an unknown word, and for types whose values stay as they
        are: texts, times, lists.

    Example:
        >>> converter("TYPE_INTEGER", False)("12"), converter("TYPE_INTEGER", False)("012")
        (12, '012')
        >>> converter("Nullable(Float64)", False)("12")
        12.0
    """
    name = word.strip() if isinstance(word, str) else ""
    while inner := AROUND.fullmatch(name):
        name = inner[1].strip()
    name = name.lower().partition("(")[0].strip()
    if INTEGERS.fullmatch(name):
        return _integer
    if NUMBERS.fullmatch(name):
        return partial(_number, exact)
    if name in TRUTH_VALUES:
        return _truth_value
    return _day if name in DATES else None


def _integer(value: Any) -> Any:
    if type(value) is str and len(value) <= LONGEST and BIGINT_TEXT.fullmatch(value):
        number = int(value)
        return number if number in BIGINT else value
    return value


def _number(exact: bool, value: Any) -> Any:
    """Return a number that is no integer, so that all pages have the same type."""
    if type(value) is str and JSON_NUMBER.fullmatch(value):
        if value.lstrip("-").isdigit():
            value = _integer(value)
        else:
            number = json_number(value, exact)
            return number if number == number else value  # an exponent of twenty digits
    if type(value) is int and -LARGEST_EXACT <= value <= LARGEST_EXACT:
        return float(value)
    return value


def _truth_value(value: Any) -> Any:
    text = value.lower() if type(value) is str else ""
    return text == BOOLEANS[0] if text in BOOLEANS else value


def _day(value: Any) -> Any:
    if type(value) is str and DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value
