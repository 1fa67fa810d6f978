from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest
from dlt.common.data_types.type_helpers import coerce_value

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import resource_of
from analytics_assets.contract.rows.validation import RowValidator
from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY

NAN, INFINITY = float("nan"), float("inf")
NUL = "holds a NUL character, which PostgreSQL cannot store"


def contract(nullable: bool = False, key: tuple[str, ...] = (), **types: DataType) -> Contract:
    columns = tuple(Column(name, name, kind, nullable) for name, kind in types.items())
    return Contract("orders", columns, key)


def reason(contract: Contract, row: Any) -> str | None:
    """The reason to reject a row between two valid rows; None if it is valid."""
    fits = {column.field: GOOD[column.data_type][0] for column in contract.columns}
    fits |= {name: fits.get(name, 1) for name in contract.primary_key}
    page = RowValidator(contract).validate([fits, row, fits])
    assert len(page.rows) + len(page.rejected) == 3
    is_converted = any(column.data_type in ("decimal", "wei") for column in contract.columns)
    assert is_converted or (page.rows[0] is fits and page.rows[-1] is fits)
    if not page.rejected:
        assert is_converted or page.rows[1] is row
        return None
    (rejection,) = page.rejected
    assert rejection.position == 1
    assert rejection.row is row
    return rejection.reason


GOOD: Mapping[DataType, list[Any]] = {
    "text": ["", "a", "é\U0001f600", "2025-01-01", "\\u0000", "\n"],
    "bigint": [0, -1, 5.0, 2**63 - 1, -(2**63)],
    "double": [0.5, 0, -3, 1e308, 2**62],
    "bool": [True, False],
    "timestamp": [
        "2025-01-02T03:04:05Z",
        "2025-01-02T03:04:05+02:00",
        "2025-01-02T03:04:05.123456789-11:30",
        "2025-01-02T03:04:05",
        "2025-01-02 03:04:05",
        "0001-01-01T00:00:00Z",
        "0001-01-01T01:00:00+01:00",
        "9999-12-31T23:59:59.999999",
        "9999-12-31T23:59:59+05:00",
        datetime(2025, 1, 2, tzinfo=UTC),
    ],
    "date": ["2025-01-02", "2024-02-29", date(2025, 1, 2)],
    "time": ["03:04:05", "03:04:05.5", "03:04:05Z", time(3, 4)],
    "json": [{}, [], "a", 1, 1.5, True, {"a": [{"b": None}]}, "null"],
    "decimal": ["1.50", 1.5, 1, Decimal("1.50")],
    "wei": [2**63, "5"],
    "binary": ["YQ==", b"a"],
}
BAD: Mapping[DataType, list[tuple[Any, str]]] = {
    "text": [
        (5, "Expected `str`, got `int`"),
        (["a"], "Expected `str`, got `array`"),
        ("a\0b", NUL),
        ("a\ud800", "holds half of a surrogate pair, which is no character"),
    ],
    "bigint": [
        ("5", "Expected `int`, got `str`"),
        (5.5, "Expected `int`"),
        (True, "Expected `int`, got `bool`"),
        (2**63, "Expected `int` <= 9223372036854775807"),
        (-(2**63) - 1, "Expected `int` >= -9223372036854775808"),
        (9.3e18, "Expected `int`"),
        (NAN, "Expected `int`"),
        (INFINITY, "Expected `int`"),
    ],
    "double": [
        ("0.5", "Expected `float`, got `str`"),
        (True, "Expected `float`, got `bool`"),
        (NAN, "Expected a finite `float`"),
        (INFINITY, "Expected a finite `float`"),
        (-INFINITY, "Expected a finite `float`"),
        (2**53 + 1, "an integer that a double would round"),
        (-(2**63) + 1, "an integer that a double would round"),
        (10**30, "an integer of more than 64 bits"),
        (10**400, "Number out of range"),
    ],
    "bool": [(1, "Expected `bool`, got `int`"), ("true", "Expected `bool`, got `str`")],
    "timestamp": [
        ("2025-01-02", "Invalid RFC3339 encoded datetime"),
        ("2025-02-30T00:00:00Z", "Invalid RFC3339 encoded datetime"),
        ("2025-01-02T03:04Z", "Invalid RFC3339 encoded datetime"),
        ("yesterday", "Invalid RFC3339 encoded datetime"),
        (1735689600, "Expected `datetime`, got `int`"),
        ("2025-01-02t03:04:05Z", "T and Z are capital letters"),
        ("2025-01-02T03:04:05z", "T and Z are capital letters"),
        ("0001-01-01T00:00:00+01:00", "in UTC not a time of the years 1 to 9999"),
        ("9999-12-31T23:59:59-05:00", "in UTC not a time of the years 1 to 9999"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))), "in UTC not a time"),
    ],
    "date": [
        ("2025-01-02T00:00:00Z", "Invalid RFC3339 encoded date"),
        ("2025-1-2", "Invalid RFC3339 encoded date"),
        ("20250102", "Invalid RFC3339 encoded date"),
        ("2025-02-30", "Invalid RFC3339 encoded date"),
        (20250102, "Expected `date`, got `int`"),
        (datetime(2025, 1, 2, tzinfo=UTC), "Expected `date`, got `datetime`"),
    ],
    "time": [
        ("3:04", "Invalid RFC3339 encoded time"),
        ("24:00:01", "Invalid RFC3339 encoded time"),
        ("03:04:05z", "T and Z are capital letters"),
    ],
    "json": [
        (NAN, "not a finite number"),
        ("a\0", NUL),
        ("\udfff", "holds half of a surrogate pair, which is no character"),
        (2**64, "an integer of more than 64 bits"),
    ],
    "decimal": [
        (NAN, "not a finite number"),
        (True, "Expected a number, got `bool`"),
        ("1,5", "Expected a number, got `str`"),
        ("0x1F", "Expected a number, got `str`"),
        ([1], "Expected a number, got `list`"),
        (10**29, "a number with more digits than decimal(38, 9) has: 29 before the point and 9"),
        (1e-10, "a number with more digits than decimal(38, 9) has: 29 before the point and 9"),
    ],
    "wei": [(INFINITY, "not a finite number")],
    "binary": [("\0", NUL)],
}


def test_the_tables_above_have_all_types() -> None:
    assert GOOD.keys() == BAD.keys() == set(get_args(DataType))


@pytest.mark.parametrize(("kind", "value"), [(kind, v) for kind in GOOD for v in GOOD[kind]])
def test_a_value_that_fits_its_column_is_valid_and_dlt_can_load_it(kind: Any, value: Any) -> None:
    assert reason(contract(x=kind), {"x": value}) is None
    assert reason(contract(x=kind, nullable=True), {"x": value}) is None
    if isinstance(value, str) and kind in ("timestamp", "date", "time"):
        assert coerce_value(kind, "text", value)


@pytest.mark.parametrize(
    ("kind", "value", "why"), [(kind, *pair) for kind in BAD for pair in BAD[kind]]
)
def test_a_value_that_does_not_fit_its_column_is_rejected_with_its_path(
    kind: Any, value: Any, why: str
) -> None:
    found = reason(contract(x=kind), {"x": value})

    assert str(found).startswith("`$.x`: ")
    assert why in str(found)
    assert str(reason(contract(x=kind, nullable=True), {"x": value})).startswith("`$.x`: ")


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "text"])
def test_a_reason_never_quotes_the_value(kind: Any) -> None:
    secret = "s3cret-s3cret\0"

    found = reason(contract(x=kind), {"x": secret})

    assert found
    assert "s3cret" not in found


@pytest.mark.parametrize("kind", list(GOOD))
def test_null_and_absence_are_refused_unless_the_column_is_nullable(kind: Any) -> None:
    strict, lenient = contract(x=kind), contract(x=kind, nullable=True)

    assert reason(strict, {}) == "`$.x`: required, but missing"
    assert "got `null`" in str(reason(strict, {"x": None}))
    assert reason(lenient, {}) is None
    assert reason(lenient, {"x": None}) is None


@pytest.mark.parametrize("row", [None, 5, "text", ["a"], True])
@pytest.mark.parametrize("what", [contract(), contract(key=("id",)), contract(x="text")])
def test_a_row_that_is_no_object_is_rejected(row: Any, what: Contract) -> None:
    assert str(reason(what, row)).startswith("`$`: Expected `object`, got ")


@pytest.mark.parametrize(
    "what",
    [
        contract(key=("id", "line")),
        contract(x="text", key=("id", "line"), nullable=True),
        contract(id="bigint", line="json", key=("id", "line")),
    ],
)
def test_a_row_without_its_primary_key_is_rejected(what: Contract) -> None:
    assert reason(what, {"id": 1, "line": 2}) is None
    assert reason(what, {"id": 1, "line": None}) == "`$.line`: missing primary key"
    assert reason(what, {"line": 1}) == "`$.id`: missing primary key"


def test_names_may_be_any_text() -> None:
    fields = ["class", "a b", "über-größe", "$ref", "0", "x.y", "__dict__", "field_0"]
    what = Contract("orders", tuple(Column(name, name, "bigint", False) for name in fields))

    assert reason(what, dict.fromkeys(fields, 1)) is None
    for field in fields:
        assert reason(what, {**dict.fromkeys(fields, 1), field: "1"}) == (
            f"`$.{field}`: Expected `int`, got `str`"
        )


@pytest.mark.parametrize("resource", API.resources)
def test_the_rows_of_the_embedded_api_fit_their_contracts(resource: str) -> None:
    rows = sandbox_rows(resource, TODAY)
    validator = RowValidator(resource_of(API, resource).contract)

    page = validator.validate(rows)

    assert page.rows == rows
    assert page.rejected == []
    assert validator.unknown_fields == {}
    assert validator.absent_fields == set()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": 7, "isDeleted": True}, None),
        ({"id": 7, "isDeleted": True, "name": None}, None),
        ({"id": 7, "isDeleted": False}, "`$.name`: required, but missing"),
        ({"id": 7, "isDeleted": None}, "`$.name`: required, but missing"),
        ({"id": 7}, "`$.name`: required, but missing"),
        ({"isDeleted": True}, "`$.id`: missing primary key"),
        ({"id": 7, "isDeleted": True, "name": 7}, "`$.name`: Expected `str | null`, got `int`"),
    ],
)
def test_a_delete_needs_its_key_alone(row: Any, expected: str | None) -> None:
    columns = contract(id="bigint", name="text", size="decimal").columns
    mark = Column("isDeleted", "is_deleted", "bool", nullable=True)
    deletes = Contract("orders", (*columns, mark), ("id",), hard_delete="is_deleted")

    assert reason(deletes, row) == expected
