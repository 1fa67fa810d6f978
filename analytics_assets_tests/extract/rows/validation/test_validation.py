"""Valid rows go to their table, rejected ones to `rejected_rows`, and none is lost."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.rejected_rows import COLUMNS, RejectedRows
from analytics_assets_tests.extract.rows.reading import (
    MERGED,
    extract,
    load,
    metrics_of,
    read_rows,
)
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    drain,
    in_turn,
    orders,
    page,
    paged,
    row,
    rows,
    serving,
    source_of,
)

KEYED = Contract("orders", primary_key=("id",))
TYPED = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
        Column("amount", "amount", "double", nullable=True),
    ),
    ("id",),
)
SEVEN = [row(1), {"text": "no key"}, row(3), "no object", None, row(6, amount="much"), row(7)]


def ids(found: list[Any]) -> list[Any]:
    return [each["id"] for each in found]


def offsets(rejected: list[dict[str, Any]]) -> list[int]:
    return [each["offset"] for each in rejected]


def json_of(rejected: list[dict[str, Any]]) -> list[Any]:
    return [json.loads(each["row"]) for each in rejected]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_each_row_is_in_its_table_or_once_among_the_rejected_ones() -> None:
    began = datetime.now(UTC)

    pipeline = load(paged(SEVEN), contract=TYPED)

    assert ids(table_values(pipeline, "orders")) == [1, 3, 7]
    found = table_values(pipeline, "rejected_rows", "offset")
    assert offsets(found) == [1, 3, 4, 5]
    assert json_of(found) == [SEVEN[1], SEVEN[3], SEVEN[4], SEVEN[5]]
    assert {(each["api"], each["resource"]) for each in found} == {("shop", "orders")}
    assert all(began <= each["rejected_at"] <= datetime.now(UTC) for each in found)
    assert [each["reason"] for each in found] == [
        "`$.id`: missing primary key",
        "`$`: Expected `object`, got `str`",
        "`$`: Expected `object`, got `null`",
        "`$.amount`: Expected `float | null`, got `str`",
    ]


@pytest.mark.usefixtures("warehouse")
def test_rejected_rows_of_all_resources_and_loads_share_a_table() -> None:
    bills = {**orders(MERGED), "name": "bills"}
    for _ in range(2):
        pipeline = load(paged(SEVEN), orders(MERGED), bills)

    with pipeline.sql_client() as client:
        loads = client.execute_sql("SELECT load_id FROM _dlt_loads ORDER BY inserted_at")
        found = client.execute_sql(
            'SELECT _dlt_load_id, resource, min("offset"), count(*) FROM rejected_rows '
            "GROUP BY 1, 2 ORDER BY 1, 2"
        )
    names = ("bills", "orders")
    assert found == [(load_id, name, 1, 3) for (load_id,) in loads or [] for name in names]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_a_table_of_an_older_version_gets_the_newer_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add, newer = RejectedRows.add, ("api", "after_steps")

    def add_as_before(self: RejectedRows, *row: Any) -> None:
        add(self, *row)
        for name in newer:
            del self._rows[-1][name]

    with monkeypatch.context() as older:
        older.setattr(RejectedRows, "add", add_as_before)
        for name in newer:
            older.delitem(COLUMNS, name)
        load(paged([{"id": None}]))
    pipeline = load(paged([{"id": None}]))

    found = table_values(pipeline, "rejected_rows", "rejected_at")
    assert [(each["api"], each["after_steps"]) for each in found] == [(None, None), ("shop", False)]


@pytest.mark.usefixtures("warehouse")
def test_a_load_of_rejected_rows_alone_succeeds() -> None:
    pipeline = load(paged([{"id": None}, {"id": "x"}]), contract=TYPED)

    assert offsets(table_values(pipeline, "rejected_rows", "offset")) == [0, 1]


def test_without_rejected_rows_there_is_no_table_of_them() -> None:
    pipeline = extract(paged(rows(1, 2, 3)), contract=TYPED)

    assert "rejected_rows" not in pipeline.default_schema.tables
    assert metrics_of(pipeline)["items_count"] == 3


def test_pages_of_rejected_rows_alone_are_read_like_others() -> None:
    bad = [{"bad": number} for number in range(6)]

    found = read_rows(paged([*bad[:2], row(3), row(4), *bad[2:]]), contract=TYPED)

    assert ids(found.valid) == [3, 4]
    assert offsets(found.rejected) == [0, 1, 4, 5, 6, 7]


def test_rows_of_a_void_pass_are_not_rejected() -> None:
    void = page(1, 2, total=4), Answer({"data": [{"text": "void"}], "total": 5})

    found = read_rows(
        in_turn(*void, page(1, 2, total=3), Answer({"data": [{}], "total": 3})), contract=TYPED
    )

    assert [(each["offset"], each["row"]) for each in found.rejected] == [(2, "{}")]


def test_the_metrics_count_rejected_rows_and_unknown_and_absent_fields() -> None:
    pipeline = extract(paged([row(1, colour="red"), {"id": None}, *rows(3, 4)]), contract=TYPED)

    metrics = metrics_of(pipeline)
    assert metrics["rows_rejected"] == 1
    assert metrics["unknown_fields"] == {"colour": "text"}
    assert metrics["absent_fields"] == ["amount"]
    assert metrics["rows_received"] == 4


def test_the_metrics_name_the_types_of_a_key_that_nothing_types() -> None:
    pipeline = extract(paged([row(1), {**row(2), "id": "2"}]), contract=KEYED)

    assert metrics_of(pipeline)["key_types"] == {"id": "number"}
    assert metrics_of(pipeline)["rows_rejected"] == 1


def test_fields_that_the_contract_does_not_name_are_kept() -> None:
    found = [row(1, colour="red"), row(2, size={"width": 7})]

    assert read_rows(paged(found), contract=TYPED).valid == found
    assert read_rows(paged(found), contract=TYPED).rejected == []


def test_steps_that_are_added_to_a_source_see_valid_rows_by_the_apis_names() -> None:
    mapped: list[Any] = []
    contract = Contract("orders", primary_key=("id",), rename={"text": "label"})

    def note(each: Any) -> Any:
        mapped.append(each)
        return each

    with serving(paged([row(1), {"text": "no key"}])) as server:
        source = source_of(server, orders(MERGED), contract=contract)
        source.resources["orders"].add_map(note)
        items = list(source)

    assert mapped == [row(1)]
    assert items[0] == {"id": 1, "label": "row 1"}


@pytest.mark.parametrize(
    "steps",
    [
        [{"filter": lambda each: each["id"] > 4}],
        [{"yield_map": lambda each: [each] if each["id"] > 4 else []}],
        [{"filter": lambda _each: True}, {"filter": lambda each: each["id"] > 4}],
    ],
)
def test_a_filter_that_drops_whole_pages_loses_no_rejected_row(steps: list[Any]) -> None:
    all_rows = [row(1), {"bad": 1}, row(2), {"bad": 3}, row(4), row(5), row(3), {"bad": 7}]

    entry = orders({**MERGED, "processing_steps": steps})
    found = read_rows(paged(all_rows), entry, contract=TYPED)

    assert ids(found.valid) == [5]
    assert offsets(found.rejected) == [1, 3, 7]


def test_a_filter_that_drops_all_pages_loses_no_rejected_row() -> None:
    entry = orders({**MERGED, "processing_steps": [{"filter": lambda _each: False}]})

    found = read_rows(paged([row(1), {"bad": 1}, row(2)]), entry, contract=TYPED)

    assert found.valid == []
    assert offsets(found.rejected) == [1]


LINES = {
    "name": "lines",
    "primary_key": "id",
    "endpoint": {
        "path": "orders/{resources.orders.id}/lines",
        "data_selector": "data",
        "paginator": {"type": "offset", "limit": 2},
    },
}


def one_good_and_one_bad_line(asked: Request) -> Answer:
    """Three orders, each with a valid line and an invalid one."""
    if asked.path == "/orders":
        return paged(rows(1, 2, 3))(asked)
    return paged([{"id": asked.path}, {"of": asked.path}])(asked)


@pytest.mark.parametrize("way", [{}, {"parallelized": True}])
def test_rejected_rows_of_several_parents_are_complete(way: dict[str, Any]) -> None:
    found = read_rows(one_good_and_one_bad_line, orders(), {**LINES, **way})

    paths = [f"/orders/{order}/lines" for order in (1, 2, 3)]
    lines = [each for each in found.valid if "text" not in each]
    assert sorted(ids(lines)) == paths
    assert sorted(each["of"] for each in json_of(found.rejected)) == paths


def test_without_a_key_or_a_schema_every_object_is_valid() -> None:
    found = read_rows(paged([{"a": 1}, {"b": 2}, "no object"]), orders({"primary_key": None}))

    assert found.valid == [{"a": 1}, {"b": 2}]
    assert [each["row"] for each in found.rejected] == ['"no object"']


@pytest.mark.parametrize(
    ("bad", "reason"), [({"id": 3}, "`$.number`: missing primary key"), (5, "got `int`")]
)
def test_an_invalid_parent_row_fails_a_load_of_parent_and_children(bad: Any, reason: str) -> None:
    all_rows = [{"id": 1, "number": 1}, {"id": 2, "number": 2}, bad]

    def answer(asked: Request) -> Answer:
        return paged(all_rows if asked.path == "/orders" else [])(asked)

    with serving(answer) as server:
        parent = orders({**MERGED, "primary_key": "number"})
        read = drain(source_of(server, parent, LINES))

    assert read.error.startswith("orders: its row at offset 2 cannot be loaded: ")
    assert reason in read.error
