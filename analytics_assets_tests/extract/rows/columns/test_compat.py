"""Behaviour of dlt 1.31 on which the workarounds for rows rest."""

from typing import Any

import dlt
import pytest
from dlt import Schema
from dlt.common.schema.exceptions import TablePropertiesConflictException
from dlt.common.schema.utils import new_table
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.extract.rows.columns.compat import SchemaInference, child_rows
from analytics_assets.extract.rows.columns.dlt_columns import with_dlt_columns
from analytics_assets_tests.extract.rows.reading import metrics_of


def nested(**properties: Any) -> Any:
    return {**new_table("orders__lines", parent_table_name="orders"), **properties}


def test_dlt_counts_the_rows_of_a_file_by_the_resource_of_its_table() -> None:
    import pyarrow as pa

    @dlt.resource(name="orders")
    def orders() -> Any:
        yield [{"id": 1}]
        dlt.current.source_schema().update_table(nested())
        dlt.current.source().resources["orders"]._hints_variants["orders__lines"] = {
            "table_name": "orders__lines",
            "parent_table_name": "orders",
            "columns": {},
        }
        yield dlt.mark.with_table_name(pa.table({"n": [1]}), "orders__lines")

    with pytest.raises(PipelineStepFailed, match="resource"):
        dlt.pipeline("counts", destination="duckdb").extract(orders)


def test_dlt_refuses_to_merge_a_child_table_that_has_a_resource() -> None:
    schema = Schema("shop")
    schema.update_table(new_table("orders"))
    schema.update_table(nested(resource="orders"))

    with pytest.raises(TablePropertiesConflictException):
        schema.update_schema(schema.clone())


def test_rows_of_a_child_table_leave_no_trace_of_their_way_in_the_schema() -> None:
    import pyarrow as pa

    @dlt.resource(name="orders")
    def orders() -> Any:
        table = pa.table({"id": [1], "orders__lines": [[{"n": 1}]]})
        for _ in range(2):
            rows, lines = with_dlt_columns(table, "load")
            yield rows.rows
            yield from child_rows(lines.rows, lines.name, "orders", "orders")

    pipeline = dlt.pipeline("traces", destination="duckdb")
    pipeline.extract(orders)

    table = pipeline.default_schema.tables["orders__lines"]
    assert table.keys() == {"name", "parent", "columns"}
    assert metrics_of(pipeline)["items_count"] == 4


def test_dlt_adds_the_root_to_child_rows_with_a_new_normalizer_alone() -> None:
    found: list[SchemaInference] = []

    @dlt.resource(name="orders", write_disposition="merge", primary_key="id")
    def orders() -> Any:
        found.append(SchemaInference(orders))
        yield [{"id": 1}]

    dlt.pipeline("roots", destination="duckdb").extract(orders)

    _, (table, row) = found[0].flattened({"id": 1, "lines": [{"n": 1}]})
    assert table == "orders__lines"
    assert "_dlt_root_id" in row


def test_dlt_may_add_tables_while_its_schema_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    clone, failures = Schema.clone, ["dictionary changed size during iteration"]

    def changing(schema: Schema, **options: Any) -> Schema:
        if failures:
            raise RuntimeError(failures.pop())
        return clone(schema, **options)

    @dlt.resource(name="orders", columns={"id": {"data_type": "bigint"}})
    def orders() -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(Schema, "clone", changing)
            inference = SchemaInference(dlt.current.source().resources["orders"])
        yield [{"columns": list(inference.columns("orders"))}]

    dlt.pipeline("copies", destination="duckdb").extract(orders)

    assert not failures
