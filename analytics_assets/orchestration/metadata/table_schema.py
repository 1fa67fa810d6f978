"""Columns of tables, contracts and endpoints as the Dagster UI shows them."""

from collections.abc import Iterable

import dagster as dg
from dlt.common.schema.typing import DLT_NAME_PREFIX, TTableSchemaColumns

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.keys import endpoint_key


def table_schema(columns: TTableSchemaColumns) -> dg.TableSchema:
    """Return the schema of a table.

    Args:
        columns: dlt columns by name; dlt's own, which start with `_dlt`, are left out.
    """
    return _schema(
        (
            name,
            str(column.get("data_type", "unknown")),
            column.get("description"),
            column.get("nullable") is not False,
        )
        for name, column in columns.items()
        if not name.startswith(DLT_NAME_PREFIX)
    )


def contract_schema(resource: Resource) -> dg.TableSchema:
    """Return the schema that the contract gives to a resource's table."""
    return _schema(
        (column.name, column.data_type, column.comment, column.may_be_null)
        for column in resource.contract.columns
    )


def endpoint_schema(resource: Resource) -> dg.TableSchema:
    """Return the schema of an endpoint's rows, by the API's names."""
    return _schema(
        (column.field, column.data_type, column.description, column.may_be_null)
        for column in resource.contract.columns
    )


def _schema(columns: Iterable[tuple[str, str, str | None, bool]]) -> dg.TableSchema:
    """Return the schema of columns given as name, type, description and nullability."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=kind,
                description=description,
                constraints=dg.TableColumnConstraints(nullable=nullable),
            )
            for name, kind, description, nullable in columns
        ]
    )


def column_lineage(schema: dg.TableSchema, resource: Resource) -> dg.TableColumnLineage:
    """Return the field of the endpoint that each column comes from.

    Args:
        schema: the table's columns.
        resource: the resource, whose contract names and renames fields.
    """
    contract = resource.contract
    fields = {contract.name_of(field): field for field in contract.rename}
    fields |= {column.name: column.field for column in contract.columns}
    endpoint = endpoint_key(resource)
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(endpoint, fields.get(column.name, column.name))]
            for column in schema.columns
        }
    )
