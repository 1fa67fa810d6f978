"""Columns of tables, contracts and endpoints as the Dagster UI shows them."""

from collections.abc import Iterable

import dagster as dg
from dlt.common.schema.typing import DLT_NAME_PREFIX, TTableSchemaColumns

from analytics_assets.contract.column import variant_of
from analytics_assets.contract.contract import DELETED
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.keys import endpoint_key

# columns that dlt adds, with their types
# https://dlthub.com/docs/general-usage/destination-tables
OF_DLT = {"_dlt_load_id": "text", "_dlt_id": "text"}
OF_TOMBSTONES = {DELETED: "bool"}
OF_HISTORY = {"_dlt_valid_from": "timestamp", "_dlt_valid_to": "timestamp"}
COMMENTS = {
    "_dlt_load_id": "The load that brought the row, as in `_dlt_loads`: seconds since 1970.",
    "_dlt_id": "dlt's own id of the row, unique in the table.",
    DELETED: "The mark of rows that a load deletes by `tombstone`; null in all rows of the table.",
    "_dlt_valid_from": "The load since which the row has these values.",
    "_dlt_valid_to": "The load since which it no longer has them; null if it still does.",
}


def table_schema(columns: TTableSchemaColumns, resource: Resource) -> dg.TableSchema:
    """Return the schema of a table, in the words of `contract_schema`.

    A column that its contract names is nullable if the contract says so: rows that break it are not
    loaded, but the warehouse has a constraint on the key alone.

    Args:
        columns: the columns in the warehouse, dlt's own included, by their names.
        resource: the resource of the table.

    Returns:
        The schema; that of the contract if there is no table yet.
    """
    if not columns and resource.contract.has_schema:
        return contract_schema(resource)
    by_contract = {column.name: column for column in resource.contract.columns}
    described = []
    for name, stored in columns.items():
        column = by_contract.get(name)
        nullable = column.may_be_null if column else stored.get("nullable") is not False
        comment = column.comment if column else _comment(name)
        described.append((name, str(stored.get("data_type", "unknown")), comment, nullable))
    return _schema(described)


def contract_schema(resource: Resource) -> dg.TableSchema:
    """Return the schema that the contract gives to a resource's table, dlt's columns included."""
    own = [
        (column.name, column.data_type, column.comment, column.may_be_null)
        for column in resource.contract.columns
    ]
    is_history = resource.write_disposition.get("strategy") == "scd2"
    is_marked = DELETED in resource.contract.hints()
    nullable = (OF_TOMBSTONES if is_marked else {}) | (OF_HISTORY if is_history else {})
    added = [(name, kind, _comment(name), True) for name, kind in nullable.items()]
    added += [(name, kind, _comment(name), False) for name, kind in OF_DLT.items()]
    return _schema([*own, *added])


def _comment(column: str) -> str | None:
    """Return the description of a column that is in no contract."""
    if column in COMMENTS:
        return COMMENTS[column]
    main = variant_of(column)
    return f"Values of `{main}` that are of another type." if main else None


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
            if not column.name.startswith(DLT_NAME_PREFIX)
        }
    )
