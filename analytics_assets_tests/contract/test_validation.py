import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import orjson
import pytest
from dlt.common.data_types.type_helpers import coerce_value
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.contract import Column, Contract, RowCheck, contract_of
from analytics_assets.contract.column import DataType
from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY

NAN, INFINITY = float("nan"), float("inf")
NUL = "holds a NUL character, which PostgreSQL cannot store"


def contract(nullable: bool = False, key: tuple[str, ...] = (), **types: DataType) -> Contract:
    columns = tuple(Column(name, name, kind, nullable) for name, kind in types.items())
    return Contract("orders", columns, key)


def reason(contract: Contract, row: Any) -> str | None:
    """Why the row is rejected between two rows that fit, or None."""
    fits = {column.field: GOOD[column.data_type][0] for column in contract.columns}
    fits |= {name: fits.get(name, 1) for name in contract.primary_key}
    checked = RowCheck(contract).check([fits, row, fits])
    assert len(checked.rows) + len(checked.rejected) == 3
    assert checked.rows[0] is fits
    assert checked.rows[-1] is fits
    if not checked.rejected:
        assert checked.rows[1] is row
        return None
    (rejection,) = checked.rejected
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
    "decimal": [(NAN, "not a finite number")],
    "wei": [(INFINITY, "not a finite number")],
    "binary": [("\0", NUL)],
}


def test_the_tables_above_have_all_types() -> None:
    assert GOOD.keys() == BAD.keys() == set(get_args(DataType))


@pytest.mark.parametrize(("kind", "value"), [(kind, v) for kind in GOOD for v in GOOD[kind]])
def test_a_value_that_fits_its_column_passes_and_dlt_can_load_it(kind: Any, value: Any) -> None:
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
    said = reason(contract(x=kind), {"x": value})

    assert str(said).startswith("`$.x`: ")
    assert why in str(said)
    assert str(reason(contract(x=kind, nullable=True), {"x": value})).startswith("`$.x`: ")


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "text"])
def test_text_of_some_other_kind_is_never_told(kind: Any) -> None:
    secret = "s3cret-s3cret\0"

    said = reason(contract(x=kind), {"x": secret})

    assert said
    assert "s3cret" not in said


@pytest.mark.parametrize("kind", list(GOOD))
def test_null_and_absence_are_refused_unless_the_column_is_nullable(kind: Any) -> None:
    strict, lenient = contract(x=kind), contract(x=kind, nullable=True)

    assert reason(strict, {}) == "`$.x`: required, but missing"
    assert "got `null`" in str(reason(strict, {"x": None}))
    assert reason(lenient, {}) is None
    assert reason(lenient, {"x": None}) is None


@pytest.mark.parametrize("row", [None, 5, "text", ["a"], True])
@pytest.mark.parametrize("what", [contract(), contract(key=("id",)), contract(x="text")])
def test_what_is_no_object_is_rejected(row: Any, what: Contract) -> None:
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


@pytest.mark.parametrize("what", [contract(), contract(x="text", nullable=True)])
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"y": NAN}, "`$.y`: not a finite number"),
        ({"y": {"a": [1, {"b": -INFINITY}]}}, "`$.y.a[1].b`: not a finite number"),
        ({"y": {"a": ["b\0"]}}, f"`$.y.a[0]`: {NUL}"),
        ({"y": {"a\0": 1}}, f"`$.y`: the name of a field {NUL}"),
        ({"y": [2**64]}, "`$.y[0]`: an integer of more than 64 bits"),
        (
            {"y": {"a": [2**63]}},
            "`$.y.a[0]`: an integer above 9223372036854775807, which no bigint holds",
        ),
        (
            {"y": ["0001-01-01T00:00:00+01:00"]},
            "`$.y[0]`: in UTC not a time of the years 1 to 9999",
        ),
        (
            {"\ud800": 1},
            "`$`: the name of a field holds half of a surrogate pair, which is no character",
        ),
    ],
)
def test_what_cannot_be_stored_is_found_anywhere_in_a_row(
    what: Contract, row: Any, said: str
) -> None:
    assert reason(what, row) == said


def test_text_that_begins_like_such_a_time_and_is_none_passes() -> None:
    row = {
        "y": "0001-a+b",
        "z": ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T12:00:00-05:00"],
    }

    assert reason(contract(), row) is None
    assert reason(contract(x="text"), {"x": "9999-12-31T23:59:59-05:00"}) is None


def test_a_column_whose_type_the_entry_says_may_hold_longer_integers() -> None:
    rows = [{"y": 2**63}]

    assert RowCheck(contract()).check(rows).rejected
    assert RowCheck(contract(), hinted={"y"}).check(rows).rows == rows


def test_a_number_beside_others_that_are_null_is_looked_at() -> None:
    rows = [{"y": None}, {"y": 1.5}, {"y": NAN}]

    checked = RowCheck(contract()).check(rows)

    assert [rejection.position for rejection in checked.rejected] == [2]


def test_a_row_that_is_nested_too_deeply_to_be_written_is_rejected() -> None:
    row: Any = 1
    for _ in range(400):
        row = [row]

    assert "nested too deeply" in str(reason(contract(), {"y": row}))


def test_names_may_be_any_text() -> None:
    fields = ["class", "a b", "über-größe", "$ref", "0", "x.y", "__dict__", "field_0"]
    what = Contract("orders", tuple(Column(name, name, "bigint", False) for name in fields))

    assert reason(what, dict.fromkeys(fields, 1)) is None
    for field in fields:
        assert reason(what, {**dict.fromkeys(fields, 1), field: "1"}) == (
            f"`$.{field}`: Expected `int`, got `str`"
        )


def test_unknown_fields_pass_and_are_told_with_the_kind_of_their_first_value() -> None:
    check = RowCheck(contract(x="text", nullable=True))
    check.check([{"x": "a"}])
    assert check.unknown_fields == {}

    checked = check.check([{"a": 1, "b": None}, {"c": [1]}, {"a": "text", "d": True}, 5])
    assert len(checked.rows) == 3
    assert check.unknown_fields == {"a": "bigint", "b": "null", "c": "json", "d": "bool"}

    check.check([{"b": 0.5, "e": "text"}])
    check.check([{"b": "text"}])
    assert check.unknown_fields == {
        "a": "bigint",
        "b": "double",
        "c": "json",
        "d": "bool",
        "e": "text",
    }


def test_without_a_schema_no_field_is_unknown_and_none_is_absent() -> None:
    check = RowCheck(contract(key=("id",)))
    check.check([{"id": 1, "x": 2}])

    assert check.unknown_fields == {}
    assert check.absent_fields == set()


def test_fields_that_no_row_had_are_absent() -> None:
    check = RowCheck(contract(x="text", y="text", z="text", nullable=True))
    assert check.absent_fields == {"x", "y", "z"}

    check.check([{"x": "a"}, {"y": None}])
    assert check.absent_fields == {"z"}
    check.check([])
    check.check([{"z": "a"}])
    assert check.absent_fields == set()


@pytest.mark.parametrize("resource", API.resources)
def test_the_rows_of_the_embedded_api_fit_their_contracts(resource: str) -> None:
    rows = sandbox_rows(resource, TODAY)
    check = RowCheck(contract_of(API, resource))

    checked = check.check(rows)

    assert checked.rows == rows
    assert checked.rejected == []
    assert check.unknown_fields == {}
    assert check.absent_fields == set()


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FITTING: Mapping[DataType, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    "bool": st.booleans(),
    "timestamp": st.datetimes().map(datetime.isoformat)
    | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat(" ")),
    "date": st.dates().map(date.isoformat),
    "time": st.times().map(time.isoformat),
    "json": st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
        lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    ).filter(lambda value: value is not None),
}
NEVER_TEXT: dict[DataType, st.SearchStrategy[Any]] = {
    kind: st.text(st.characters(categories=["Ll"]), min_size=1)
    for kind in FITTING
    if kind not in ("text", "json")
}
MISFITS: Mapping[DataType, st.SearchStrategy[Any]] = {
    **NEVER_TEXT,
    "text": st.integers() | TEXT.map(lambda text: f"{text}\0") | st.just("\ud800"),
    "json": st.sampled_from([NAN, INFINITY, [NAN], {"a": {"b": "\0"}}, ["\udc00"]]),
}
COLUMNS = st.dictionaries(
    st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters='"\\'), min_size=1),
    st.tuples(st.sampled_from(list(FITTING)), st.booleans()),
    min_size=1,
    max_size=8,
)


def draw_row(draw: Callable[..., Any], columns: Mapping[str, tuple[DataType, bool]]) -> Any:
    row = {}
    for name, (kind, nullable) in columns.items():
        value = draw(FITTING[kind] | st.sampled_from([None, ...]) if nullable else FITTING[kind])
        if value is not ...:
            row[name] = value
    return row


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_rows_that_fit_pass_and_one_wrong_value_rejects_its_row_alone(data: st.DataObject) -> None:
    columns = data.draw(COLUMNS)
    what = Contract("orders", tuple(Column(name, name, *parts) for name, parts in columns.items()))
    page = [draw_row(data.draw, columns) for _ in range(data.draw(st.integers(1, 4)))]
    page = json.loads(json.dumps(page))
    good = RowCheck(what).check(page)
    assert good.rejected == []
    assert [id(row) for row in good.rows] == [id(row) for row in page]

    position = data.draw(st.integers(0, len(page) - 1))
    field = data.draw(st.sampled_from(list(columns)))
    page[position] = {**page[position], field: data.draw(MISFITS[columns[field][0]])}
    bad = RowCheck(what).check(page)

    assert len(bad.rows) + len(bad.rejected) == len(page)
    assert [rejection.position for rejection in bad.rejected] == [position]
    assert bad.rejected[0].row is page[position]
    assert f"$.{field}" in bad.rejected[0].reason


ANYTHING = st.recursive(
    st.none() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ANYTHING | st.fixed_dictionaries({"id": ANYTHING}, optional={"x": ANYTHING})))
def test_no_row_vanishes_and_what_passes_can_be_written(page: list[Any]) -> None:
    checked = RowCheck(contract(x="json", nullable=True, key=("id",))).check(page)

    assert len(checked.rows) + len(checked.rejected) == len(page)
    for row in checked.rows:
        assert row["id"] is not None
        assert orjson.loads(orjson.dumps(row)) == row  # which would not be so with NaN
        assert not any("\0" in text for text in texts(row))


def texts(value: Any) -> Iterator[str]:
    """All texts in a value, the names of fields included."""
    if isinstance(value, str):
        yield value
    for part in value.items() if isinstance(value, dict) else ():
        yield from texts(list(part))
    for part in value if isinstance(value, list) else ():
        yield from texts(part)
