"""Data contracts: values that a consumer, and datacontract-cli, read."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.cli.commands.export.odcs import data_contract
from analytics_assets.config.load import Partitioned
from analytics_assets_tests.cli.commands.export.described import described, orders_api


def contract(place: Path, resource: str = "orders", **policy: Any) -> dict[str, Any]:
    tables = described(orders_api(place, **policy), contract_only=True)
    return data_contract(tables[resource])


def properties(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in found["schema"][0]["properties"]}


def test_a_contract_names_its_table_its_version_and_its_team(tmp_path: Path) -> None:
    found = contract(tmp_path, owners=["team:sales", "ada@example.com"], tags={"pii": ""})
    assert (found["apiVersion"], found["kind"]) == ("v3.1.0", "DataContract")
    assert (found["id"], found["version"]) == ("shop.orders", "2.3")
    assert found["team"] == {
        "name": "sales",
        "members": [{"username": "ada@example.com", "role": "owner"}],
    }
    assert found["tags"] == ["pii"]
    assert found["customProperties"] == [{"property": "dagsterAssetKey", "value": "shop/orders"}]


def test_properties_have_both_types_and_the_key(tmp_path: Path) -> None:
    found = properties(contract(tmp_path))
    assert found["number"] == {
        "name": "number",
        "primaryKey": True,
        "primaryKeyPosition": 2,
        "logicalType": "integer",
        "physicalType": "BIGINT",
        "description": "Counts {{ from }} 1.",
        "required": True,
    }
    assert (found["day"]["logicalType"], found["day"]["physicalType"]) == ("date", "DATE")
    assert found["note"]["required"] is False
    [rule] = found["state"]["quality"]
    assert (rule["metric"], rule["severity"]) == ("invalidValues", "warning")
    assert rule["arguments"] == {"validValues": ["new", "paid"]}
    assert properties(contract(tmp_path, key=["number"]))["number"]["unique"] is True


def test_a_key_of_several_columns_is_a_rule_of_the_table(tmp_path: Path) -> None:
    rows, key = contract(tmp_path)["schema"][0]["quality"]
    assert (rows["metric"], rows["mustBeGreaterThan"]) == ("rowCount", 0)
    assert (key["metric"], key["mustBe"]) == ("duplicateValues", 0)
    assert key["arguments"] == {"properties": ["shop", "number"]}


@pytest.mark.parametrize(
    ("policy", "level"),
    [
        # a day counts from its end
        ({"freshness": timedelta(hours=36)}, (60, "hour", "orders.day")),
        ({"freshness": timedelta(hours=36), "date_column": None}, (36, "hour", None)),
        (
            {
                "load": Partitioned(by="week", start=date(2025, 1, 6)),
                "freshness": timedelta(days=1),
            },
            (15, "day", "orders.day"),
        ),
    ],
)
def test_the_service_level_is_the_freshness_and_its_schedule(
    tmp_path: Path, policy: dict[str, Any], level: tuple[int, str, str | None]
) -> None:
    [found] = contract(tmp_path, schedule="5 4 * * *", timezone="Europe/Berlin", **policy)[
        "slaProperties"
    ]
    assert (found["value"], found["unit"], found.get("element")) == level
    assert (found["property"], found["scheduler"]) == ("freshness", "cron")
    assert found["schedule"] == "5 4 * * * (Europe/Berlin)"


def test_the_server_is_the_warehouse_without_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "data/warehouse.duckdb")
    [server] = contract(tmp_path)["servers"]
    assert server["database"] == "data/warehouse.duckdb"
    assert (server["type"], server["schema"]) == ("duckdb", "shop")


def test_the_server_of_postgres_has_neither_user_nor_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    address = "postgresql://loader:hush-hush@db.example.com:6543/dwh"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
    [server] = contract(tmp_path)["servers"]
    assert server == {
        "server": "postgres",
        "type": "postgres",
        "host": "db.example.com",
        "port": 6543,
        "database": "dwh",
        "schema": "shop",
    }
    socket = "postgresql://loader@localhost/dwh?host=/var/run/postgresql"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", socket)
    assert contract(tmp_path)["servers"][0]["host"] == "/var/run/postgresql"
    monkeypatch.delenv("DESTINATION__POSTGRES__CREDENTIALS")
    assert contract(tmp_path)["servers"][0]["database"] == "postgres"


def test_a_table_of_which_nothing_is_known_has_a_contract_without_properties(
    tmp_path: Path,
) -> None:
    found = contract(tmp_path, "events")
    assert "properties" not in found["schema"][0]
    assert "element" not in found["slaProperties"][0]


def test_no_password_of_the_api_is_in_a_contract(tmp_path: Path) -> None:
    assert "hidden" not in str(contract(tmp_path))


def test_a_warehouse_of_another_kind_is_a_custom_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "filesystem")
    found = contract(tmp_path)
    assert found["servers"][0]["type"] == "custom"
    assert properties(found)["day"]["physicalType"] == "date"
