"""Asset specs: columns, lineage and descriptions, before anything is loaded."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.config.load import Full, Load, Partitioned
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets_tests.support.orders import document_of, orders_api

START = date(2026, 6, 1)
TABLE, ENDPOINT = dg.AssetKey(["shop", "orders"]), dg.AssetKey(["web_api", "shop", "orders"])


def test_columns_of_the_contract_and_their_lineage_show_before_the_first_load(
    tmp_path: Path,
) -> None:
    fields = {"id": {"type": "integer"}, "article": {"type": "string", "description": "What."}}
    kept = document_of(tmp_path / "kept.json", fields, ["id"])
    api = orders_api(kept, rename={"article": "item"})

    graph = build_definitions(api).resolve_asset_graph()

    metadata = graph.get(TABLE).metadata
    columns = metadata["dagster/column_schema"].columns
    assert [(column.name, column.type, column.description) for column in columns[:2]] == [
        ("id", "bigint", None),
        ("item", "text", "What. The API's `article`."),
    ]
    [source] = metadata["dagster/column_lineage"].deps_by_column["item"]
    assert (source.asset_key, source.column_name) == (ENDPOINT, "article")
    endpoint = graph.get(ENDPOINT).metadata["dagster/column_schema"]
    assert [column.name for column in endpoint.columns] == ["id", "article"]


def test_a_resource_without_a_contract_is_described_as_such() -> None:
    description = build_definitions(orders_api()).resolve_asset_graph().get(TABLE).description

    assert str(description) == (
        "From /v1/orders of the shop API, merged into shop.orders by id. "
        "Without a contract: dlt infers the columns."
    )


def test_a_broken_reference_is_in_the_description_of_the_resource_that_needs_it(
    tmp_path: Path,
) -> None:
    file = document_of(tmp_path / "kept.json", {"id": {"$ref": "#/gone"}}, ["id"])

    graph = build_definitions(orders_api(file)).resolve_asset_graph()

    place = "/200/content/application~1json/schema/properties/data/items/properties/id"
    assert str(graph.get(TABLE).description).endswith(
        f"Without a contract: dlt infers the columns. {file}: the `$ref` at "
        f"`#/paths/~1v1~1orders/get/responses{place}` leads to `#/gone`, which is not there."
    )


def test_complete_read_is_the_one_check_that_downstream_assets_wait_for() -> None:
    graph = build_definitions(orders_api(prune=True)).resolve_asset_graph()

    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {"complete_read"}


@pytest.mark.parametrize(
    ("load", "freshness", "late_after"),
    [
        (Full(), timedelta(hours=36), timedelta(hours=36)),
        (Partitioned(by="day", start=START), timedelta(hours=36), timedelta(hours=36)),
        (Partitioned(by="day", start=START), timedelta(hours=3), timedelta(days=1)),
        (Partitioned(by="week", start=START), timedelta(hours=36), timedelta(days=7.5)),
        (Partitioned(by="month", start=START), timedelta(days=2), timedelta(days=32)),
    ],
)
def test_a_table_is_late_once_the_check_of_its_newest_partition_could_fail(
    load: Load, freshness: timedelta, late_after: timedelta
) -> None:
    definitions = build_definitions(orders_api(load=load, freshness=freshness, date_column="day"))

    policy = definitions.resolve_asset_graph().get(TABLE).freshness_policy

    assert policy == dg.FreshnessPolicy.time_window(fail_window=late_after)
