"""Defects of dlt's destination `filesystem` that the clients for Delta tables work around."""

import time
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets_tests.warehouse.destinations.delta.stored import stored


@pytest.fixture
def stock(tmp_path: Path) -> dlt.Pipeline:
    """A pipeline of dlt alone into the folder of the fixture `delta_warehouse`."""
    lake = dlt.destinations.filesystem(str(tmp_path / "lake"))
    return dlt.pipeline(
        "stock", str(tmp_path / "stock"), destination=lake, dataset_name="analytics"
    )


def run(pipeline: dlt.Pipeline, rows: list[dict[str, Any]], **hints: Any) -> None:
    given: Any = {
        "primary_key": "id",
        "write_disposition": {"disposition": "merge", "strategy": "upsert"},
        "table_format": "delta",
        **hints,
    }
    pipeline.run(dlt.resource(rows, name="orders", **given))


def test_dlt_1_31_upserts_two_rows_of_one_key(stock: dlt.Pipeline) -> None:
    run(stock, [{"id": 1, "name": "a"}])
    run(stock, [{"id": 2, "name": "b"}, {"id": 2, "name": "c"}])
    assert [row["id"] for row in stored()] == [1, 2, 2]


def test_dlt_1_31_takes_the_columns_of_its_schema_for_those_of_the_table(
    stock: dlt.Pipeline,
) -> None:
    run(stock, [{"id": 1, "name": "a"}])
    with stock.destination_client() as client:
        assert isinstance(client, FilesystemClient)
        client.schema.tables["orders"]["columns"]["absent"] = {
            "name": "absent",
            "data_type": "text",
        }
        assert "absent" in client.get_storage_table("orders")[1]


def test_dlt_1_31_waits_for_a_second_for_the_end_of_a_job_that_has_ended_before(
    stock: dlt.Pipeline,
) -> None:
    orders = dlt.resource([{"id": 1}], name="orders", table_format="delta")
    stock.extract(orders, loader_file_format="parquet")
    stock.normalize()
    begun = time.monotonic()
    stock.load()
    assert time.monotonic() - begun >= 1


def test_dlt_1_31_refuses_a_dataset_whose_folder_another_load_has_made(
    stock: dlt.Pipeline, tmp_path: Path
) -> None:
    (tmp_path / "lake" / "analytics").mkdir(parents=True)
    with pytest.raises(PipelineStepFailed, match="File exists"):
        run(stock, [{"id": 1}])
