"""Rows of vendors under contracts of documents in the forms that these vendors publish."""

from pathlib import Path
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import resource_of
from analytics_assets.contract.rows.validation import RowValidator
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.vendors.recording import Recording, serving
from analytics_assets_tests.extract.vendors.table import comparable
from analytics_assets_tests.support.loading import table_values

FOLDER = Path(__file__).with_name("documents")
VENDORS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
# whole columns of JSON, as their objects have no fields of their own or are not always objects
JSON = {
    "github": {"labels"},
    "hubspot": {"properties"},
    "klaviyo": {"attributes__location__latitude", "attributes__properties"},
    "microsoft_graph": {"business_phones", "manager"},
    "slack": {"previous_names"},
    "stripe": {"balance_transaction", "metadata"},
    "zendesk": {"tags", "custom_fields"},
}
# fields of a document that no recorded row has
ABSENT = {"hubspot": {"archivedAt"}, "microsoft_graph": {"employeeOrgData.division", "manager"}}
STEPS = {"processing_steps": [{"map": lambda row: row}]}  # rows take dlt's way one by one


def configuration(base_url: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {
        "client": {"base_url": base_url},
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": list(entries),
    }


def contract_of(recording: Recording) -> Contract:
    vendor = recording.vendor
    api = Api(
        name="vendors",
        config=configuration("https://example.com", recording.entry),
        policies={vendor: {"nested": "columns", "date_column": None}},
        openapi=str(FOLDER / f"{vendor}.yaml"),
    )
    return resource_of(api, vendor).contract


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_rows_of_a_vendor_fit_the_contract_of_its_document(vendor: str) -> None:
    recording = Recording(vendor)
    contract = contract_of(recording)
    rows = list(recording.rows())
    validator = RowValidator(contract)

    page = validator.validate(rows)

    assert [each.reason for each in page.rejected] == []
    assert page.rows == rows
    assert {each.name for each in contract.columns if each.data_type == "json"} == JSON[vendor]
    assert validator.unknown_fields == {}
    never_an_object = {"assignee.", "milestone.", "performed_via_github_app."}
    absent = {
        name for name in validator.absent_fields if not name.startswith(tuple(never_an_object))
    }
    assert absent == ABSENT.get(vendor, set())


@pytest.mark.merge
def test_each_value_is_in_its_column_on_both_ways(warehouse: Warehouse) -> None:
    recordings = [Recording(vendor) for vendor in VENDORS]
    contracts = {each.vendor: contract_of(each) for each in recordings}
    for steps in ({}, STEPS):
        with serving(recordings) as server, warehouse.loading("vendors") as pipeline:
            entries = [{**each.entry, **steps} for each in recordings]
            config: Any = configuration(server.base_url, *entries)
            connection = connect(config["client"], "vendors")
            source = rest_api_source(config, "vendors", connection, contracts)
            pipeline.run(source, loader_file_format="parquet")
            tables = {vendor: table_values(pipeline, vendor) for vendor in VENDORS}

        for recording in recordings:
            columns = contracts[recording.vendor].columns
            rows = sorted(recording.rows(), key=lambda row: str(row["id"]))
            sent = [{each.name: each.values([row])[0] for each in columns} for row in rows]
            found = [comparable(row) for row in tables[recording.vendor]]
            assert found == [comparable(row) for row in sent]
