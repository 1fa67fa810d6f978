"""Lists of vendors as they were recorded, with their paginators: nothing is wrong with any."""

from datetime import UTC, datetime
from typing import Any

import pytest

from analytics_assets.cli.commands.check.resource_check import check_resource
from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets_tests.extract.vendors.recording import VENDORS, Recording, serving


@pytest.mark.parametrize("vendor", VENDORS)
def test_two_pages_of_a_vendors_list_are_right(vendor: str) -> None:
    recording = Recording(vendor)
    with serving([recording]) as server:
        config: Any = {
            "client": {"base_url": server.base_url},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [recording.entry],
        }
        resource = resource_of(Api(name="vendors", config=config), recording.entry["name"])
        connection = connect(config["client"], "vendors")
        found = check_resource(resource, connection, datetime.now(UTC))
    assert found.text.startswith("2 and 1 row on the first two pages (")
    assert found.warnings == []
