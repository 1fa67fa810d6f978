"""Properties of nested columns that hold for any contract and any page."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.contract.column import Column, DataType, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.validation import RowValidator
from analytics_assets.extract.rows.arrow import table_of_rows
from analytics_assets.extract.rows.columns.json_columns import table_of_json
from analytics_assets.extract.rows.columns.row_type import RowType
from analytics_assets_tests.contract.rows.validation.test_validation_properties import FITTING

Draw = Any
NAMES = st.sampled_from(["a", "b", "c d", "e.f", "é"])
LEAVES = st.tuples(st.sampled_from(list(FITTING)), st.booleans())
# an object is the pair of its fields and its nullability
FIELDS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda inner: st.tuples(st.dictionaries(NAMES, inner, min_size=1), st.booleans()),
        max_leaves=6,
    ),
    min_size=1,
)
MISFITS: st.SearchStrategy[Any] = st.sampled_from(
    [None, 5, 0.5, "text", "\0", True, [], [{}], {}, {"other": 1}, 2**70]
)


def columns(fields: dict[str, Any], parents: tuple[ParentObject, ...] = ()) -> list[Column]:
    found = []
    for name, (kind, nullable) in fields.items():
        if isinstance(kind, dict):
            found += columns(kind, (*parents, ParentObject(name, nullable)))
        else:
            path = ".".join([*(parent.name for parent in parents), name])
            found.append(Column(path, f"column_{path}", kind, nullable, parents=parents))
    return found


def draw_value(draw: Draw, kind: "dict[str, Any] | DataType") -> Any:
    if not isinstance(kind, dict):
        return draw(FITTING[kind])
    row = {}
    for name, (inner, nullable) in kind.items():
        how = draw(st.sampled_from(["value", "null", "missing"])) if nullable else "value"
        if how != "missing":
            row[name] = None if how == "null" else draw_value(draw, inner)
    return row


def with_misfit(draw: Draw, row: Any) -> Any:
    """A row with something else in the place of a field, at any level."""
    name = draw(st.sampled_from([*row, "other"]))
    within = row.get(name)
    if isinstance(within, dict) and within and draw(st.booleans()):
        return {**row, name: with_misfit(draw, within)}
    return {**row, name: draw(MISFITS)}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_all_ways_make_the_same_columns_or_leave_a_page_to_dlt(data: st.DataObject) -> None:
    fields = data.draw(FIELDS)
    contract = Contract("orders", tuple(columns(fields)))
    if len({column.field for column in contract.columns}) < len(contract.columns):
        return  # refused when the contract is read
    page = [draw_value(data.draw, fields) for _ in range(data.draw(st.integers(1, 4)))]
    if data.draw(st.booleans()):
        page[-1] = with_misfit(data.draw, page[-1])
    body = json.dumps(page).encode()
    page = json.loads(body)

    validator = RowValidator(contract)
    is_valid = not validator.validate(page).rejected and not validator.unknown_fields
    tables = {"page": table_of_json(RowType(contract), [body], [len(page)])}
    if is_valid:
        of_rows = table_of_rows(RowType(contract), page)
        names = [column.name for column in contract.columns]
        tables["rows"] = None if of_rows is None else of_rows.select(names)

    made = {way: table for way, table in tables.items() if table is not None}
    assert is_valid or not made
    for table in made.values():
        assert table.equals(next(iter(made.values())))
