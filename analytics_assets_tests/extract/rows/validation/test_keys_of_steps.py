"""Primary keys that the entry's own `processing_steps` make."""

import json
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.rejected_rows import RowsRejectedAgain
from analytics_assets.extract.source import kept_rows_source
from analytics_assets_tests.extract.rows.reading import MERGED, extract, load, metrics_of, read_rows
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import orders, paged, row, rows

NO_KEY = "`$.key`: missing primary key"
COLUMNS = (
    Column("text", "text", "text", nullable=True),
    Column("number", "number", "bigint", nullable=True),
)


def json_of(rejected: list[dict[str, Any]]) -> list[Any]:
    return [json.loads(each["row"]) for each in rejected]


def keyed(row: dict[str, Any]) -> dict[str, Any]:
    """Add a key to a row that has a number."""
    return {**row, "key": f"k{row['number']}"} if "number" in row else row


@pytest.mark.parametrize(
    "steps",
    [
        [{"map": keyed}],
        [{"yield_map": lambda each: [keyed(each)]}],
        [{"filter": lambda each: True}, {"map": keyed}],
    ],
)
@pytest.mark.parametrize("contract", [None, Contract("orders", COLUMNS, ("key",))])
def test_a_key_may_be_made_by_a_step(steps: list[Any], contract: Contract | None) -> None:
    entry = orders({**MERGED, "primary_key": "key", "processing_steps": steps})
    all_rows = [{"number": 1}, {"number": 2}, {"text": "no number"}, {"number": 3}]

    found = read_rows(paged(all_rows), entry, contract=contract)

    assert [each["key"] for each in found.valid] == ["k1", "k2", "k3"]
    assert json_of(found.rejected) == [{"text": "no number"}]
    assert [each["reason"] for each in found.rejected] == [NO_KEY]


def test_a_row_that_a_map_leaves_without_key_has_its_offset() -> None:
    entry = orders({**MERGED, "primary_key": "key", "processing_steps": [{"map": keyed}]})

    found = read_rows(paged([{"number": 1}, {"number": 2}, {"number": 3}, {"text": "none"}]), entry)

    assert [each["offset"] for each in found.rejected] == [3]


def test_a_part_of_the_key_may_be_made_by_a_step() -> None:
    steps = [{"yield_map": lambda each: [{**each, "part": part} for part in (1, 2)]}]
    entry = orders({**MERGED, "primary_key": ["id", "part"], "processing_steps": steps})

    found = read_rows(paged([row(1), {"text": "no id"}, row(2)]), entry)

    assert [(each["id"], each["part"]) for each in found.valid] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert json_of(found.rejected) == [{"text": "no id"}]


def test_keys_that_a_step_makes_of_several_types_are_rejected_as_those_of_the_api() -> None:
    steps = [{"map": lambda each: {**each, "key": each["id"] if each["id"] < 3 else str(each)}}]
    entry = orders({**MERGED, "primary_key": "key", "processing_steps": steps})

    found = read_rows(paged(rows(1, 2, 3)), entry)

    assert [each["key"] for each in found.valid] == [1, 2]
    assert "Expected `number` as in the rows before" in found.rejected[0]["reason"]


def test_rows_that_are_rejected_before_and_after_the_steps_are_counted_together() -> None:
    entry = orders({**MERGED, "primary_key": "key", "processing_steps": [{"map": keyed}]})

    pipeline = extract(paged([{"number": 1}, "no object", {"text": "no number"}]), entry)

    metrics = metrics_of(pipeline)
    assert metrics["rows_rejected"] == 2
    assert sorted(metrics["rejection_reasons"].values()) == [1, 1]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_a_key_that_a_step_makes_merges_rows() -> None:
    entry = orders({**MERGED, "primary_key": "key", "processing_steps": [{"map": keyed}]})
    for text in ("old", "new"):
        pipeline = load(paged([{"number": 1, "text": text}, {"number": 2, "text": text}]), entry)

    found = table_values(pipeline, "orders", order="key")
    assert [(each["key"], each["text"]) for each in found] == [("k1", "new"), ("k2", "new")]


def test_rows_of_a_yield_map_get_the_names_of_their_columns() -> None:
    contract = Contract("orders", primary_key=("id",), rename={"text": "label"})
    steps = [{"yield_map": lambda each: [each]}]

    found = read_rows(
        paged([row(1)]), orders({**MERGED, "processing_steps": steps}), contract=contract
    )

    assert found.valid == [{"id": 1, "label": "row 1"}]


@pytest.mark.parametrize(
    "step",
    [{"map": keyed}, {"yield_map": lambda each: [keyed(each)]}],
    ids=["map", "yield_map"],
)
def test_kept_rows_need_the_key_that_a_step_makes(step: Any) -> None:
    entry = orders({**MERGED, "primary_key": "key", "processing_steps": [step]})
    config = {"client": {"base_url": "http://127.0.0.1:1"}, "resources": [entry]}
    again = RowsRejectedAgain("shop", "orders")
    kept = [{"number": 1}, {"a": 1}, {"number": 2}, {"b": 1}]

    contract = Contract("orders", primary_key=("key",))
    found = list(kept_rows_source(config, "shop", contract, kept, again, "shop_orders"))

    assert [each["key"] for each in found] == ["k1", "k2"]
    assert again.reasons == {1: NO_KEY, 3: NO_KEY}


def with_language(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "id": f"{row['id']}-{row['language']}"}


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_rows_whose_keys_a_step_tells_apart_are_all_loaded() -> None:
    entry = orders({**MERGED, "processing_steps": [{"map": with_language}]})
    texts = [row(number, language=language) for number in (1, 2, 3) for language in ("de", "en")]
    for _ in range(2):
        pipeline = load(paged(texts), entry)

    found = [each["id"] for each in table_values(pipeline, "orders")]
    assert found == ["1-de", "1-en", "2-de", "2-en", "3-de", "3-en"]
    assert metrics_of(pipeline)["rows_alike_before_steps"] == 3


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_of_rows_that_have_one_key_after_the_steps_the_last_one_wins() -> None:
    steps = [{"map": lambda each: {**each, "tags": [1, 2]}}]
    entry = orders({**MERGED, "processing_steps": steps}, paginator="single_page")
    versions = [row(number, version=version) for number in (1, 2, 3) for version in range(7)]

    pipeline = load(paged(versions), entry)

    found = [(each["id"], each["version"]) for each in table_values(pipeline, "orders")]
    assert found == [(1, 6), (2, 6), (3, 6)]
