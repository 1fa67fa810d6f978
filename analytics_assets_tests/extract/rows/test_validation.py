import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.errors import find_cause
from analytics_assets.contract import Contract
from analytics_assets.contract.column import Column
from analytics_assets.extract.rows.column_collisions import FieldCollisionError
from analytics_assets.extract.rows.validation import InvalidParentError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Asked,
    in_turn,
    orders,
    page,
    paged,
    row,
    rows,
    serving,
    source_of,
)

pytestmark = pytest.mark.usefixtures("warehouse")

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
RENAMED = Contract(
    "orders",
    (
        Column("id", "order_id", "bigint", nullable=False),
        Column("text", "label", "text", nullable=True),
    ),
    ("id",),
    {"id": "order_id", "text": "label"},
)
MERGED = {"write_disposition": "merge"}
JSON_A = {"a": {"data_type": "json"}}
SEVEN = [row(1), {"text": "no key"}, row(3), "no object", None, row(6, amount="much"), row(7)]
Table = list[dict[str, Any]]


def load(
    answers: Answers,
    *entries: Mapping[str, Any],
    contract: Contract | None = TYPED,
    runs: int = 1,
) -> dlt.Pipeline:
    """Load `orders`, or other entries, into the warehouse of the test."""
    pipeline = Warehouse.from_settings().pipeline("test")
    with serving(answers) as server:
        for _ in range(runs):
            source = source_of(server, *(entries or [orders(MERGED)]), contract=contract)
            pipeline.run(source, loader_file_format="parquet")
    return pipeline


def table(pipeline: dlt.Pipeline, name: str, order: str) -> Table:
    """The rows of a table, none if there is no such table."""
    return table_values(pipeline, name, order) if name in pipeline.default_schema.tables else []


def rejected(pipeline: dlt.Pipeline) -> Table:
    return table(pipeline, "rejected_rows", "offset")


def loaded(pipeline: dlt.Pipeline, key: str = "id") -> list[Any]:
    return [each[key] for each in table(pipeline, "orders", key)]


def test_each_row_is_in_its_table_or_once_among_the_rejected_ones() -> None:
    began = datetime.now(UTC)

    pipeline = load(paged(SEVEN))

    assert loaded(pipeline) == [1, 3, 7]
    found = rejected(pipeline)
    assert [(each["offset"], json.loads(each["row"])) for each in found] == [
        (1, SEVEN[1]),
        (3, SEVEN[3]),
        (4, SEVEN[4]),
        (5, SEVEN[5]),
    ]
    assert {each["resource"] for each in found} == {"orders"}
    assert all(began <= each["rejected_at"] <= datetime.now(UTC) for each in found)
    assert [each["reason"] for each in found] == [
        "`$.id`: missing primary key",
        "`$`: Expected `object`, got `str`",
        "`$`: Expected `object`, got `null`",
        "`$.amount`: Expected `float | null`, got `str`",
    ]


def test_rejected_rows_come_with_the_load_that_their_page_came_with() -> None:
    pipeline = load(paged(SEVEN), runs=2)

    with pipeline.sql_client() as client:
        loads = client.execute_sql("SELECT load_id FROM _dlt_loads ORDER BY inserted_at")
        per_load = client.execute_sql(
            "SELECT _dlt_load_id, count(*) FROM rejected_rows GROUP BY 1 ORDER BY 1"
        )
    assert per_load == [(load_id, 4) for (load_id,) in loads or []]
    assert loaded(pipeline) == [1, 3, 7]


def test_without_rejected_rows_there_is_no_table_of_them() -> None:
    pipeline = load(paged(rows(1, 2, 3)))

    assert "rejected_rows" not in pipeline.default_schema.tables
    assert loaded(pipeline) == [1, 2, 3]


def test_pages_of_bad_rows_only_are_no_trouble() -> None:
    bad = [{"bad": number} for number in range(6)]

    pipeline = load(paged([*bad[:2], row(3), row(4), *bad[2:]]))

    assert loaded(pipeline) == [3, 4]
    assert [each["offset"] for each in rejected(pipeline)] == [0, 1, 4, 5, 6, 7]


def test_nothing_but_bad_rows_is_no_trouble() -> None:
    pipeline = load(paged([{"id": None}, {"id": "x"}]))

    assert [each["offset"] for each in rejected(pipeline)] == [0, 1]


def test_rows_of_a_void_pass_are_not_rejected() -> None:
    void = page(1, 2, total=4), Answer({"data": [{"text": "void"}], "total": 5})

    pipeline = load(in_turn(*void, page(1, 2, total=3), Answer({"data": [{}], "total": 3})))

    assert [(each["offset"], each["row"]) for each in rejected(pipeline)] == [(2, "{}")]


def test_the_metrics_count_rejected_rows_and_unknown_and_absent_fields() -> None:
    pipeline = load(paged([row(1, colour="red"), {"id": None}, *rows(3, 4)]))

    metrics = metrics_of(pipeline)
    assert metrics["rows_rejected"] == 1
    assert metrics["unknown_fields"] == {"colour": "text"}
    assert metrics["absent_fields"] == ["amount"]
    assert metrics["rows_received"] == 4


def metrics_of(pipeline: dlt.Pipeline) -> Mapping[str, Any]:
    """What the last extraction counted of `orders`."""
    assert pipeline.last_trace
    assert pipeline.last_trace.last_extract_info
    packages = pipeline.last_trace.last_extract_info.metrics.values()
    found = [each["resource_metrics"] for steps in packages for each in steps]
    (metrics,) = [each["orders"].custom_metrics for each in found if "orders" in each]
    return dict(metrics)


def test_fields_that_the_contract_does_not_name_are_kept() -> None:
    pipeline = load(paged([row(1, colour="red"), row(2, size={"width": 7})]))

    assert table(pipeline, "orders", "id") == [
        {"id": 1, "text": "row 1", "amount": None, "colour": "red", "size__width": None},
        {"id": 2, "text": "row 2", "amount": None, "colour": None, "size__width": 7},
    ]
    assert rejected(pipeline) == []


def test_columns_have_the_types_of_the_contract_whatever_the_first_rows_hold() -> None:
    pipeline = load(paged([row(1, amount=5), row(2)]))

    columns = pipeline.default_schema.tables["orders"]["columns"]
    assert columns["amount"]["data_type"] == "double"
    assert columns["id"]["nullable"] is False
    assert columns["text"]["nullable"] is True


@pytest.mark.parametrize("key", ["id", ["id"]])
def test_renamed_fields_are_merged_by_the_renamed_key(key: Any) -> None:
    entry = orders({**MERGED, "primary_key": key})

    pipeline = load(paged([*rows(1, 2, 3), {"text": "no key"}]), entry, contract=RENAMED, runs=2)

    assert table(pipeline, "orders", "order_id") == [
        {"order_id": number, "label": f"row {number}"} for number in (1, 2, 3)
    ]
    columns = pipeline.default_schema.tables["orders"]["columns"]
    assert columns["order_id"]["primary_key"] is True
    assert {each["row"] for each in rejected(pipeline)} == {'{"text": "no key"}'}


def test_the_entrys_own_hints_speak_of_the_apis_names_too() -> None:
    entry = orders({**MERGED, "columns": {"text": {"description": "what it is called"}}})

    pipeline = load(paged(rows(1)), entry, contract=RENAMED)

    columns = pipeline.default_schema.tables["orders"]["columns"]
    assert columns["label"]["description"] == "what it is called"
    assert "text" not in columns


def test_processing_steps_see_the_apis_names_and_columns_get_the_new_ones() -> None:
    seen: list[set[str]] = []

    def note(each: dict[str, Any]) -> dict[str, Any]:
        seen.append(set(each))
        return {**each, "text": each["text"].upper()}

    entry = orders({**MERGED, "processing_steps": [{"map": note}]})
    pipeline = load(paged(rows(1, 2)), entry, contract=RENAMED)

    assert seen == [{"id", "text"}] * 2
    assert [each["label"] for each in table(pipeline, "orders", "order_id")] == ["ROW 1", "ROW 2"]


def test_processing_steps_never_see_a_rejected_row() -> None:
    seen: list[Any] = []

    def note(each: Any) -> Any:
        seen.append(each)
        return each

    entry = orders({**MERGED, "processing_steps": [{"map": note}]})
    load(paged(SEVEN), entry)

    assert seen == [SEVEN[0], SEVEN[2], SEVEN[6]]


@pytest.mark.parametrize(
    "steps",
    [
        [{"filter": lambda each: each["id"] > 4}],
        [{"yield_map": lambda each: [each] if each["id"] > 4 else []}],
        [{"filter": lambda _each: True}, {"filter": lambda each: each["id"] > 4}],
    ],
)
def test_a_filter_that_swallows_whole_pages_loses_no_rejected_row(steps: list[Any]) -> None:
    found = [row(1), {"bad": 1}, row(2), {"bad": 3}, row(4), row(5), row(3), {"bad": 7}]

    pipeline = load(paged(found), orders({**MERGED, "processing_steps": steps}))

    assert loaded(pipeline) == [5]
    assert [each["offset"] for each in rejected(pipeline)] == [1, 3, 7]


def test_a_filter_that_swallows_all_pages_loses_no_rejected_row() -> None:
    entry = orders({**MERGED, "processing_steps": [{"filter": lambda _each: False}]})

    pipeline = load(paged([row(1), {"bad": 1}, row(2)]), entry)

    assert [each["offset"] for each in rejected(pipeline)] == [1]


def test_an_incremental_cursor_speaks_of_the_apis_names() -> None:
    day = timedelta(days=1)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    found = [row(number, at=(start + number * day).isoformat()) for number in range(4)]
    incremental = {"cursor_path": "at", "initial_value": (start + 2 * day).isoformat()}
    contract = Contract("orders", primary_key=("id",), rename={"at": "changed_at"})

    pipeline = load(
        paged([*found, {"at": "2025-01-09"}]),
        orders(MERGED, incremental=incremental),
        contract=contract,
    )

    assert loaded(pipeline) == [2, 3]
    assert "changed_at" in pipeline.default_schema.tables["orders"]["columns"]
    assert len(rejected(pipeline)) == 1


LINES = {
    "name": "lines",
    "primary_key": "id",
    "endpoint": {
        "path": "orders/{resources.orders.id}/lines",
        "data_selector": "data",
        "paginator": {"type": "offset", "limit": 2},
    },
}


def one_good_and_one_bad_line(asked: Asked) -> Answer:
    """Three orders, and what each has of lines."""
    if asked.path == "/orders":
        return paged(rows(1, 2, 3))(asked)
    return paged([{"id": asked.path}, {"of": asked.path}])(asked)


@pytest.mark.parametrize("way", [{}, {"parallelized": True}])
def test_rejected_rows_of_several_parents_are_all_there(way: dict[str, Any]) -> None:
    pipeline = load(one_good_and_one_bad_line, orders(), {**LINES, **way}, contract=None)

    paths = [f"/orders/{order}/lines" for order in (1, 2, 3)]
    assert [each["id"] for each in table(pipeline, "lines", "id")] == paths
    assert sorted(json.loads(each["row"])["of"] for each in rejected(pipeline)) == paths


def test_rejected_rows_of_several_resources_share_a_table() -> None:
    bills = {**orders(MERGED), "name": "bills"}

    pipeline = load(paged(SEVEN), orders(MERGED), bills, contract=None)

    found = [(each["resource"], each["offset"]) for each in rejected(pipeline)]
    assert sorted(found) == [(name, place) for name in ("bills", "orders") for place in (1, 3, 4)]


def test_without_a_key_or_a_schema_every_object_is_loaded() -> None:
    pipeline = load(
        paged([{"a": 1}, {"b": 2}, "no object"]), orders({"primary_key": None}), contract=None
    )

    assert len(table(pipeline, "orders", "a")) == 2
    assert [each["row"] for each in rejected(pipeline)] == ['"no object"']


def test_what_json_cannot_say_is_rejected_and_readable() -> None:
    body = b'{"data": [{"id": 1, "amount": NaN}, {"id": 2, "text": "\\u0000"}], "total": 2}'

    pipeline = load(in_turn(Answer(body), Answer({"data": [], "total": 2})))

    assert [each["row"] for each in rejected(pipeline)] == [
        '{"id": 1, "amount": NaN}',
        '{"id": 2, "text": "\\u0000"}',
    ]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([{"fooBar": "a", "foo_bar": "b"}], r"`foo_?[bB]ar` and `foo_?[bB]ar`.*`rename`"),
        ([{"a__b": 1, "a": {"b": 2}}], r"`a__b` and `a\.b` .*`a__b`.*`rename`.*keep `a` whole"),
        ([{"a__b": 1}, {"a": {"b": 2}}], r"`a__b` and `a\.b` .*column `a__b`"),
        ([{"a__b": [1], "a": {"b": [2]}}], r"`a__b` and `a\.b` .*column `a__b`"),
        ([{"a": {"fooBar": 1, "foo_bar": 2}}], r"`a\.fooBar` and `a\.foo_bar`.*keep `a` whole"),
        ([{"a": [{"x+": 1}, {"xx": 2}]}], r"`a\[\]\.x\+` and `a\[\]\.xx`.*keep `a` whole"),
        ([{"_dlt_id": "mine"}], r"`_dlt_id` would become a column of dlt's own.*`rename`"),
        ([{"_dltLoadId": "mine"}], r"`_dltLoadId` would become a column of dlt's own"),
        ([{"a": [{"_dlt_id": 1}]}], r"`a\[\]\._dlt_id` would become a column of dlt's own.*whole"),
    ],
)
def test_fields_that_would_become_one_column_are_refused_by_name(found: Any, told: str) -> None:
    numbered = [{"id": number, **each} for number, each in enumerate(found)]

    with pytest.raises(PipelineStepFailed) as failed:
        load(paged(numbered), contract=KEYED)

    cause = find_cause(failed.value, FieldCollisionError)
    assert re.search(told, str(cause)), cause


@pytest.mark.parametrize("way", [{"max_table_nesting": 0}, {"columns": JSON_A}])
def test_fields_within_one_that_is_kept_whole_do_not_collide(way: dict[str, Any]) -> None:
    whole = {"fooBar": 1, "foo_bar": 2, "_dlt_id": [{"_dlt_id": 3}]}

    pipeline = load(paged([{"id": 1, "a": whole}]), orders({**MERGED, **way}), contract=KEYED)

    [held] = table(pipeline, "orders", "id")
    assert held["a"] == whole


def test_fields_of_several_levels_that_do_not_collide_are_all_there() -> None:
    found = {"id": 1, "a": {"b": {"c": 1}, "": 5}, "b": [{"c": 2}, 3], "": 4}

    pipeline = load(paged([found]), contract=KEYED)

    assert table(pipeline, "orders", "id") == [{"id": 1, "a__b__c": 1, "a___empty": 5, "_empty": 4}]
    assert table(pipeline, "orders__b", "c") == [
        {"c": 2, "value": None},
        {"c": None, "value": 3},
    ]


def test_a_field_called_like_a_column_of_dlts_own_may_be_renamed() -> None:
    contract = Contract("orders", primary_key=("id",), rename={"_dlt_id": "their_id"})

    pipeline = load(paged([{"id": 1, "_dlt_id": "mine"}]), contract=contract)

    assert table(pipeline, "orders", "id") == [{"id": 1, "their_id": "mine"}]


@pytest.mark.parametrize("value", ["t", "5", "null", 5, 1.5, True, [1], {"a": "1"}])
def test_a_json_column_holds_any_value_as_it_came(value: Any) -> None:
    free = Column("free", "free", "json", nullable=True)
    contract = Contract("orders", (TYPED.columns[0], free), ("id",))

    pipeline = load(paged([{"id": 1, "free": value}]), contract=contract)

    [held] = table(pipeline, "orders", "id")
    assert held["free"] == value


def test_a_field_is_not_lost_to_another_that_is_renamed_to_its_name() -> None:
    contract = Contract("orders", primary_key=("id",), rename={"text": "label"})

    with pytest.raises(Exception, match="label"):
        load(paged([row(1, label="own")]), contract=contract)


EARLY, LATE = "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00"
TIMED = Contract("orders", (TYPED.columns[0], Column("at", "at", "timestamp", True)), ("id",))


@pytest.mark.parametrize(
    ("contract", "value"), [(TIMED, EARLY), (TIMED, LATE), (KEYED, EARLY), (KEYED, LATE)]
)
def test_a_time_that_no_warehouse_holds_costs_its_row_alone(contract: Contract, value: str) -> None:
    found = [row(1, at="0001-01-01T00:00:00Z"), row(2, at=value), row(3, at="2025-01-01T00:00:00Z")]

    pipeline = load(paged(found), contract=contract)

    assert loaded(pipeline) == [1, 3]
    assert [json.loads(each["row"]) for each in rejected(pipeline)] == [found[1]]


@pytest.mark.parametrize("nest", [lambda n: n, lambda n: [n], lambda n: {"of": [{"n": n}]}])
def test_an_integer_that_no_column_holds_costs_its_row_alone(nest: Any) -> None:
    found = [row(1, n=nest(2**63 - 1)), row(2, n=nest(2**63)), row(3, n=nest(-(2**63)))]

    pipeline = load(paged(found), contract=KEYED)

    assert loaded(pipeline) == [1, 3]
    assert [json.loads(each["row"]) for each in rejected(pipeline)] == [found[1]]


def test_a_hint_by_hand_lets_longer_integers_in() -> None:
    entry = orders({**MERGED, "columns": {"n": {"data_type": "decimal", "scale": 0}}})

    pipeline = load(paged([row(1, n=2**64 - 1)]), entry, contract=KEYED)

    assert [each["n"] for each in table(pipeline, "orders", "id")] == [2**64 - 1]
    assert rejected(pipeline) == []


FIVE, MOMENT = 5, "2025-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("first", "value", "kind"),
    [
        (FIVE, "01234", "text"),
        (FIVE, "1_000", "text"),
        (FIVE, "0x1F", "text"),
        (FIVE, "99999999999999999999", "text"),
        (FIVE, "5" * 5000, "text"),
        (FIVE, 1e300, "double"),
        (1.5, "01234", "text"),
        (1.5, "nan", "text"),
        (1.5, "1e400", "text"),
        (1.5, "0.12345678901234567890", "text"),
        (1.5, 2**53 + 1, "bigint"),
        (True, FIVE, "bigint"),
        (True, "yes", "text"),
        (MOMENT, "01234", "text"),
    ],
)
@pytest.mark.parametrize("runs", ["one load", "two loads"])
def test_a_value_that_a_columns_type_would_alter_has_a_column_of_its_own(
    first: Any, value: Any, kind: str, runs: str
) -> None:
    old, new = row(1, n=first), row(2, n=value)
    pipeline = load(paged([old, new] if runs == "one load" else [old]), contract=KEYED)
    if runs == "two loads":
        load(paged([new]), contract=KEYED)

    [one, two] = table(pipeline, "orders", "id")
    assert one["n"] == (datetime.fromisoformat(first) if first == MOMENT else first)
    assert (two["n"], two[f"n__v_{kind}"]) == (None, value)


@pytest.mark.parametrize(
    ("first", "value", "held"),
    [(FIVE, "-17", -17), (FIVE, 2.0, 2), (1.5, "2.50", 2.5), (1.5, 7, 7), ("a", "01", "01")],
)
def test_a_value_that_stays_what_it_is_goes_to_the_column_that_is_there(
    first: Any, value: Any, held: Any
) -> None:
    pipeline = load(paged([row(1, n=first), row(2, n=value)]), contract=KEYED)

    assert [each["n"] for each in table(pipeline, "orders", "id")] == [first, held]


@pytest.mark.parametrize(
    ("bad", "why"), [({"id": 3}, "`$.number`: missing primary key"), (5, "got `int`")]
)
def test_a_parent_row_that_does_not_fit_fails_a_load_of_parent_and_children(
    bad: Any, why: str
) -> None:
    found = [{"id": 1, "number": 1}, {"id": 2, "number": 2}, bad]

    def answer(asked: Asked) -> Answer:
        return paged(found if asked.path == "/orders" else [])(asked)

    with pytest.raises(PipelineStepFailed) as failed:
        load(answer, orders({**MERGED, "primary_key": "number"}), LINES, contract=None)

    told = str(find_cause(failed.value, InvalidParentError))
    assert told.startswith("orders: its row at offset 2 cannot be loaded: ")
    assert why in told
