"""Properties of the validation that hold for any page of rows."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.validation import RowValidator

NAN, INFINITY = float("nan"), float("inf")
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
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=8,
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


@settings(max_examples=75, deadline=None)
@given(st.data())
def test_valid_rows_stay_and_one_wrong_value_rejects_its_row_alone(data: st.DataObject) -> None:
    columns = data.draw(COLUMNS)
    contract = Contract(
        "orders", tuple(Column(name, name, *parts) for name, parts in columns.items())
    )
    page = [draw_row(data.draw, columns) for _ in range(data.draw(st.integers(1, 4)))]
    page = json.loads(json.dumps(page))
    good = RowValidator(contract).validate(page)
    assert good.rejected == []
    assert [id(row) for row in good.rows] == [id(row) for row in page]

    position = data.draw(st.integers(0, len(page) - 1))
    field = data.draw(st.sampled_from(list(columns)))
    page[position] = {**page[position], field: data.draw(MISFITS[columns[field][0]])}
    bad = RowValidator(contract).validate(page)

    assert len(bad.rows) + len(bad.rejected) == len(page)
    assert [rejection.position for rejection in bad.rejected] == [position]
    assert bad.rejected[0].row is page[position]
    assert f"$.{field}" in bad.rejected[0].reason


ANYTHING = st.recursive(
    st.none() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3)
    ),
    max_leaves=8,
)
ROW = ANYTHING | st.fixed_dictionaries({"id": ANYTHING}, optional={"x": ANYTHING})
KEYED = Contract("orders", (Column("x", "x", "json", nullable=True),), ("id",))


@settings(max_examples=75, deadline=None)
@given(st.lists(ROW, max_size=8))
def test_no_row_vanishes_and_valid_rows_can_be_written(page: list[Any]) -> None:
    validated = RowValidator(KEYED).validate(page)

    assert len(validated.rows) + len(validated.rejected) == len(page)
    for row in validated.rows:
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
