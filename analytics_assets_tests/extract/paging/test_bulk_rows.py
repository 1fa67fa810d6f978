"""Rows of pages that are read in bulk: the same as of pages by dlt's client."""

from typing import Any

import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.paging.typed_orders import (
    CONTRACT,
    IN_COLUMNS,
    ORDERS,
    changed,
    entry,
    read,
)
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import paged, rows, serving, source_of

pytestmark = pytest.mark.usefixtures("few_pages")
as_in_a_load = pytest.mark.usefixtures("in_a_load", "pages_at_once")


@as_in_a_load
def test_a_row_that_breaks_the_contract_is_rejected_and_the_others_are_loaded() -> None:
    def broken(offset: int, body: Any) -> Any:
        odd = {"id": 900 + offset, "amount": "much"}
        return {**body, "data": [*body["data"][:2], odd, *body["data"][3:]]}

    found = read(changed(paged(ORDERS), broken, {10, 50, 55}))

    assert found.rows == [each for each in IN_COLUMNS if each["id"] not in (12, 52, 57)]
    assert [each["offset"] for each in found.rejected] == [12, 52, 57]
    assert {each["reason"] for each in found.rejected} == {
        "`$.amount`: Expected `float | null`, got `str`"
    }


@as_in_a_load
def test_of_rows_that_share_their_key_the_last_one_is_loaded() -> None:
    found = read(paged([*ORDERS[:60], {**ORDERS[60], "id": 3, "text": "the last"}, *ORDERS[61:]]))

    assert len(found.rows) == 94
    assert [each["text"] for each in found.rows if each["id"] == 3] == ["the last"]


@as_in_a_load
def test_of_rows_that_share_their_key_the_last_one_that_fits_is_loaded() -> None:
    found = read(paged([*ORDERS[:60], {**ORDERS[60], "id": 3, "amount": "much"}, *ORDERS[61:]]))

    assert [each["text"] for each in found.rows if each["id"] == 3] == ["row 3"]
    assert len(found.rejected) == 1


@as_in_a_load
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "0001-01-01T00:00:00+01:00"),
        ("at", "9999-12-31T23:59:59-05:00"),
        ("amount", 2**53 + 1),
        ("text", "nul \0 within"),
    ],
)
def test_values_that_fit_by_type_only_are_rejected_as_on_other_pages(
    field: str, value: Any
) -> None:
    found = read(paged([*ORDERS[:47], {**ORDERS[47], field: value}, *ORDERS[48:]]))

    assert found.ids == [number for number in range(95) if number != 47]
    (rejected,) = found.rejected
    assert rejected["reason"].startswith(f"`$.{field}`")


@as_in_a_load
def test_integers_that_come_as_floats_keep_their_key() -> None:
    floats = [{**each, "id": float(each["id"])} for each in ORDERS]

    assert read(paged(floats)).ids == list(range(95))


@as_in_a_load
def test_rows_of_another_shape_do_not_stop_a_list_of_ids() -> None:
    found = read(paged(rows(*range(95))))

    assert found.ids == list(range(95))
    assert {each["amount"] for each in found.rows} == {None}


def loaded(warehouse: Warehouse, given: dict[str, Any]) -> list[dict[str, Any]]:
    """The table after a load of all orders."""
    pipeline = warehouse.pipeline("test")
    with serving(paged(ORDERS)) as server:
        source = source_of(server, given, contract=CONTRACT)
        pipeline.run(source, loader_file_format="parquet")
    return table_values(pipeline, "orders")


def test_pages_in_columns_are_loaded_as_they_are(
    warehouse: Warehouse, typed_pages: list[int]
) -> None:
    found = loaded(warehouse, entry())

    assert [
        {**each, "at": each["at"].astimezone(IN_COLUMNS[0]["at"].tzinfo)} for each in found
    ] == (IN_COLUMNS)
    assert len(typed_pages) > 10


def test_a_step_that_makes_keys_equal_still_leaves_one_row_for_each(warehouse: Warehouse) -> None:
    steps = [{"map": lambda each: {**each, "id": each["id"] // 2}}]

    found = loaded(warehouse, entry(processing_steps=steps))

    assert [each["id"] for each in found] == list(range(48))
