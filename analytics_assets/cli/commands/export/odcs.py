"""A data contract per table by the Open Data Contract Standard.

https://bitol-io.github.io/open-data-contract-standard/v3.1.0/
"""

from typing import Any

from analytics_assets.cli.commands.export.durations import in_largest_unit
from analytics_assets.cli.commands.export.servers import server_of
from analytics_assets.cli.commands.export.tables import ExportedColumn, ExportedTable
from analytics_assets.contract.openapi.document import read_document

VERSION = "v3.1.0"
FIRST_VERSION = "1.0.0"  # of a contract whose API has no OpenAPI document
TEMPORAL = ("date", "timestamp")
LOGICAL_TYPES = {
    "text": "string",
    "bigint": "integer",
    "double": "number",
    "decimal": "number",
    "wei": "number",
    "bool": "boolean",
    "timestamp": "timestamp",
    "date": "date",
    "time": "time",
    "json": "object",
    "binary": "string",
}


def data_contract(table: ExportedTable) -> dict[str, Any]:
    """Return the data contract of a table.

    Args:
        table: the table.
    """
    resource = table.resource
    return {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": f"{resource.api_name}.{resource.name}",
        "name": resource.name,
        "version": _version(table),
        "status": "active",
        "domain": resource.api_name,
        "dataProduct": resource.api_name,
        **({"tags": table.tags} if table.tags else {}),
        "description": {"purpose": table.description},
        "servers": [server_of(table.warehouse)],
        **_team(table),
        "schema": [_schema(table)],
        "slaProperties": _service_levels(table),
        "customProperties": [
            {"property": "dagsterAssetKey", "value": f"{resource.api_name}/{resource.name}"}
        ],
    }


def _version(table: ExportedTable) -> str:
    """Return the version that the API's OpenAPI document states."""
    file = table.resource.api.openapi
    info = read_document(file).get("info") if file else None
    return str((info if isinstance(info, dict) else {}).get("version") or FIRST_VERSION)


def _team(table: ExportedTable) -> dict[str, Any]:
    owners = table.resource.policy.owners
    teams = [owner.removeprefix("team:") for owner in owners if owner.startswith("team:")]
    members = [{"username": owner, "role": "owner"} for owner in owners if "@" in owner]
    if not owners:
        return {}
    return {
        "team": {
            **({"name": ", ".join(teams)} if teams else {}),
            **({"members": members} if members else {}),
        }
    }


def _schema(table: ExportedTable) -> dict[str, Any]:
    properties = [_property(table, column) for column in table.columns]
    return {
        "name": table.name,
        "physicalName": table.name,
        "logicalType": "object",
        "physicalType": "table",
        "description": table.description,
        **({"properties": properties} if properties else {}),
        "quality": _quality(table),
    }


def _property(table: ExportedTable, column: ExportedColumn) -> dict[str, Any]:
    quality = [_known_values(column)] if column.choices else []
    key: dict[str, Any] = {}
    if column.name in table.key:
        key = {"primaryKey": True, "primaryKeyPosition": table.key.index(column.name) + 1}
    return {
        "name": column.name,
        **key,
        "logicalType": LOGICAL_TYPES.get(column.data_type, "string"),
        "physicalType": column.physical_type,
        **({"description": column.description} if column.description else {}),
        "required": column.required,
        **({"unique": True} if table.key == (column.name,) else {}),
        **({"quality": quality} if quality else {}),
    }


def _quality(table: ExportedTable) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = [
        {
            "name": "rows_present",
            "description": "The table has rows.",
            "metric": "rowCount",
            "mustBeGreaterThan": 0,
        }
    ]
    if len(table.key) > 1:  # one column is marked as unique
        rules.append(
            {
                "name": "primary_key",
                "description": "No key occurs twice.",
                "metric": "duplicateValues",
                "arguments": {"properties": list(table.key)},
                "mustBe": 0,
            }
        )
    return rules


def _known_values(column: ExportedColumn) -> dict[str, Any]:
    return {
        "name": "known_values",
        "description": "Values that the API's document lists; it may add others.",
        "severity": "warning",
        "metric": "invalidValues",
        "arguments": {"validValues": list(column.choices)},
        "mustBe": 0,
    }


def _service_levels(table: ExportedTable) -> list[dict[str, Any]]:
    """Return the freshness: of the newest day in the table, or else of its last load."""
    resource, policy = table.resource, table.resource.policy
    day = resource.contract.name_of(policy.date_column) if policy.date_column else None
    is_known = any(each.name == day and each.data_type in TEMPORAL for each in table.columns)
    # a day counts from its end, and tools compare with its start
    count, unit = in_largest_unit(table.oldest_day if is_known else table.longest_age)
    level = {
        "property": "freshness",
        "value": count,
        "unit": unit,
        **({"element": f"{table.name}.{day}"} if is_known else {}),
        "driver": "operational",
        "description": f"The longest age of {'the newest day' if is_known else 'the last load'}.",
        "scheduler": "cron",
        "schedule": f"{policy.schedule} ({policy.timezone})",
    }
    return [level]
