"""Conversion of values that a column stores in another form than JSON has them."""

from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from analytics_assets.config.times.timestamps import TimeFormatError, kind_of, read_time
from analytics_assets.contract.column import DataType, Hints
from analytics_assets.contract.contract import Contract, column_name
from analytics_assets.contract.rows.coercion import JSON_NUMBER
from analytics_assets.contract.rows.numbers import ColumnDecimal, is_held

PRECISION, SCALE = 38, 9  # of a decimal column whose hint has none, as in dlt
WEI = {"precision": PRECISION, "scale": 0}
INTEGER_BITS = (8, 16, 32, 64)
Convert = Callable[[Any], Any]


class ConversionError(ValueError):
    """A value is not in the form that its column needs; its text is the reason to reject a row."""


class RowConversion:
    """Converts the values of a row, before its validation.

    Times in a stated format become dates and times, numbers of decimal columns decimals by their
    digits, and a number that no double holds the nearest one where the entry itself gives its
    column the type `double`. A value beyond the precision of a hint is refused, as a warehouse
    would refuse the whole load for it.

    Args:
        contract: the contract of the rows.
        hints: dlt's hints of the columns, by their names: type, precision and scale.

    Example:
        >>> prices = {"price": {"data_type": "decimal", "precision": 5, "scale": 2}}
        >>> RowConversion(Contract("orders"), prices)({"price": 12.5})
        {'price': Decimal('12.5')}
    """

    def __init__(self, contract: Contract, hints: Hints) -> None:
        self._contract = contract
        named = {column.name: column for column in contract.columns}
        types: dict[str, Any] = {name: column.data_type for name, column in named.items()}
        types |= {name: hint["data_type"] for name, hint in hints.items() if "data_type" in hint}
        self._whole = {name for name, kind in types.items() if kind == "json"}
        self._converters: dict[str, Convert] = {}
        for name, kind in types.items():
            hint = hints.get(name, {})
            if kind == "decimal":
                self._converters[name] = _decimal_converter(hint)
            elif kind == "wei":
                self._converters[name] = _decimal_converter(WEI)
            elif kind == "bigint" and hint.get("precision"):
                self._converters[name] = _integer_limit(int(hint["precision"]))
            elif kind == "text" and hint.get("precision"):
                self._converters[name] = _text_limit(int(hint["precision"]))
            elif kind == "double" and (name not in named or named[name].takes_nearest):
                self._converters[name] = _nearest_double
        for name, form in contract.formats.items():
            self._converters[name] = _time_converter(types.get(name), form)
        self._has_decimals = not {"decimal", "wei"}.isdisjoint(types.values())
        self._steps: dict[tuple[str, str], tuple[Convert | None, str]] = {}

    def __call__(self, row: Any) -> Any:
        """Return a row with its values converted, the very row if there are none.

        Raises:
            ConversionError: a value is not in the form that its column needs.
        """
        if not self._converters or not isinstance(row, dict):
            return row
        row = self._converted(row, "", "$")
        return _with_doubles(row) if self._has_decimals else row

    def _converted(self, row: dict[str, Any], prefix: str, path: str) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for field, value in row.items():
            if value is None:
                continue
            convert, inner = self._step(prefix, field)
            if convert:
                try:
                    converted = convert(value)
                except ConversionError as error:
                    raise ConversionError(f"`{path}.{field}`: {error}") from None
            elif inner and isinstance(value, dict):
                converted = self._converted(value, inner, f"{path}.{field}")
            else:
                continue
            if converted is not value:
                changed[field] = converted
        return {**row, **changed} if changed else row

    def _step(self, prefix: str, field: str) -> tuple[Convert | None, str]:
        """Return the converter of a field, and the prefix of the columns of the fields in it."""
        known = self._steps.get((prefix, field))
        if known is None:
            own = column_name(field, {}) if prefix else self._contract.name_of(field)
            name = f"{prefix}{own}"
            has_inner = any(each.startswith(f"{name}__") for each in self._converters)
            inner = f"{name}__" if has_inner and name not in self._whole else ""
            known = self._steps[prefix, field] = self._converters.get(name), inner
        return known


def _time_converter(kind: DataType | None, form: str) -> Convert:
    if kind not in ("timestamp", "date", "time"):
        kind = kind_of(form)

    def convert(value: Any) -> date | time:
        try:
            moment = read_time(value, form)
        except TimeFormatError as error:
            raise ConversionError(str(error)) from None
        if kind == "timestamp":
            return moment
        if kind == "time":
            return moment.time()
        if moment.time() != time():
            raise ConversionError("a time within a day, in a column of the type `date`")
        return moment.date()

    return convert


def _decimal_converter(hint: Mapping[str, Any]) -> Convert:
    precision, scale = hint.get("precision"), hint.get("scale")
    precision = PRECISION if precision is None else int(precision)
    scale = SCALE if scale is None else int(scale)

    def convert(value: Any) -> ColumnDecimal:
        if isinstance(value, ColumnDecimal):
            return value
        number = _exact(value)
        _, digits, exponent = number.as_tuple()
        assert isinstance(exponent, int), "it is finite"
        written = len(bytes(digits).rstrip(b"\0")) if any(digits) else 0
        lowest = exponent + len(digits) - written  # the exponent of the last digit that counts
        if written and (number.adjusted() >= precision - scale or lowest < -scale):
            raise ConversionError(
                f"a number with more digits than decimal({precision}, {scale}) has: "
                f"{precision - scale} before the point and {scale} after it"
            )
        return ColumnDecimal(number)

    return convert


def _integer_limit(precision: int) -> Convert:
    """Return a converter that refuses integers of more bits than a column has."""
    # a warehouse has integers of these sizes alone
    bits = next((size for size in INTEGER_BITS if size >= precision), INTEGER_BITS[-1])
    limit = 1 << (bits - 1)

    def convert(value: Any) -> Any:
        if isinstance(value, int | float) and not -limit <= value < limit:
            raise ConversionError(f"an integer of more than {bits} bits")
        return value

    return convert


def _text_limit(precision: int) -> Convert:
    """Return a converter that refuses texts of more letters than a column has."""

    def convert(value: Any) -> Any:
        if isinstance(value, str) and len(value) > precision:
            raise ConversionError(f"a text of more than {precision} letters")
        return value

    return convert


def _exact(value: Any) -> Decimal:
    if isinstance(value, str) and JSON_NUMBER.fullmatch(value):
        try:
            return Decimal(value)
        except InvalidOperation:
            raise ConversionError("an exponent of more digits than a decimal has") from None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ConversionError(f"Expected a number, got `{type(value).__name__}`")
    number = Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite():
        raise ConversionError("not a finite number")
    return number


def _nearest_double(value: Any) -> Any:
    is_rounded = type(value) is Decimal and value.is_finite() and abs(value.adjusted()) < 300
    return float(value) if is_rounded else value


def _with_doubles(value: Any) -> Any:
    """Return a value with doubles for the numbers that a double holds, outside decimal columns."""
    if type(value) is Decimal:
        return float(value) if is_held(value) else value
    if isinstance(value, dict):
        parts = {name: _with_doubles(part) for name, part in value.items()}
        return parts if any(parts[name] is not value[name] for name in value) else value
    return [_with_doubles(part) for part in value] if isinstance(value, list) else value
