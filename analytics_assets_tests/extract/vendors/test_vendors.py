from typing import Any

import pytest

from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.vendors.recording import VENDORS, Recording, serving
from analytics_assets_tests.extract.vendors.table import comparable, expected_row, stored_rows


@pytest.mark.parametrize("vendor", VENDORS)
def test_two_loads_of_a_vendors_list_leave_each_value_that_it_sent_once(
    vendor: str, warehouse: Warehouse
) -> None:
    recording = Recording(vendor)
    with serving([recording]) as server:
        config: Any = {
            "client": {"base_url": server.base_url},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [recording.entry],
        }
        with warehouse.loading("vendors", table=vendor) as pipeline:
            for _ in range(2):
                source = rest_api_source(config, "vendors", connect(config["client"], "vendors"))
                pipeline.run(source, loader_file_format="parquet")
            stored = stored_rows(pipeline, vendor)
            sent = [expected_row(row, pipeline) for row in recording.rows()]
    assert in_order(stored) == in_order(sent)


def in_order(rows: list[dict[str, Any]]) -> list[Any]:
    return sorted((comparable(row) for row in rows), key=lambda row: repr(sorted(row.items())))
