"""dbt's `sources.yml`: a source per API, a table per resource.

https://docs.getdbt.com/reference/source-properties; the asset key by which dagster-dbt links a
source to its asset: https://docs.dagster.io/integrations/libraries/dbt/reference
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import sqlglot.expressions as exp
from sqlglot.dialects.redshift import Redshift

from analytics_assets.cli.commands.export.durations import in_largest_unit
from analytics_assets.cli.commands.export.tables import ExportedColumn, ExportedTable
from analytics_assets.warehouse.queries.derived_table import LOAD

# the words of PostgreSQL and Redshift, and those that DuckDB has besides
RESERVED = Redshift.Generator.RESERVED_KEYWORDS | {
    *("asymmetric", "describe", "fetch", "lambda", "lateral", "pivot_longer", "pivot_wider"),
    *("qualify", "returning", "show", "summarize", "symmetric", "variadic", "window"),
}
JINJA = ("{{", "{%", "{#")


def dbt_sources(tables: Sequence[ExportedTable]) -> dict[str, Any]:
    """Return the content of `sources.yml`.

    Args:
        tables: the tables, those of an API one after another.
    """
    by_api = groupby(tables, key=lambda table: table.resource.api_name)
    return {"version": 2, "sources": [_source(api, list(group)) for api, group in by_api]}


def _source(api: str, tables: Sequence[ExportedTable]) -> dict[str, Any]:
    warehouse = tables[0].warehouse
    file = warehouse.duckdb_file
    # the catalog of a DuckDB file is named after it; elsewhere that of dbt's target counts
    database = {"database": file.stem} if file else {}
    return {
        "name": api,
        "description": f"Tables that are loaded from the {api} API.",
        **database,
        "schema": warehouse.dataset,
        "loader": "dlt",
        "tables": [each for table in tables for each in (_table(table), *_children(table))],
    }


def _table(table: ExportedTable) -> dict[str, Any]:
    resource, policy = table.resource, table.resource.policy
    count, period = in_largest_unit(table.longest_age)
    meta: dict[str, Any] = {"dagster": {"asset_key": [resource.api_name, resource.name]}}
    if policy.owners:
        meta["owners"] = list(policy.owners)
    columns = [_column(table, column) for column in table.columns]
    return {
        "name": table.name,
        "description": _plain(table.description),
        "config": {
            "freshness": {"error_after": {"count": count, "period": period}},
            "loaded_at_field": _loaded_at(table),
            "meta": meta,
            **({"tags": table.tags} if table.tags else {}),
        },
        **({"data_tests": [_unique_key(table)]} if len(table.key) > 1 and columns else {}),
        **({"columns": columns} if columns else {}),
    }


def _children(table: ExportedTable) -> Iterator[dict[str, Any]]:
    """Yield the tables of lists in the rows, without an asset key: each asset has one source."""
    for name, columns in table.children.items():
        yield {
            "name": name,
            "description": f"Elements of lists in the rows of `{table.name}`, "
            "joined by `_dlt_parent_id` to `_dlt_id`.",
            "columns": [{"name": each.name, "data_type": each.physical_type} for each in columns],
        }


def _column(table: ExportedTable, column: ExportedColumn) -> dict[str, Any]:
    tests: list[Any] = []
    if table.key == (column.name,):
        tests.append("unique")
    if column.required:
        tests.append("not_null")
    if column.choices:
        tests.append(_accepted_values(column))
    return {
        "name": column.name,
        **({"description": _plain(column.description)} if column.description else {}),
        "data_type": column.physical_type,
        **({"quote": True} if _is_reserved(column.name, _dialect(table)) else {}),
        **({"data_tests": tests} if tests else {}),
    }


def _is_reserved(name: str, dialect: str | None) -> bool:
    """Return True for a column such as `order`, which SQL knows by its quotes alone.

    Other dialects than these may take a quoted name for another one.
    """
    return dialect in ("duckdb", "postgres", "redshift") and name in RESERVED


def _accepted_values(column: ExportedColumn) -> dict[str, Any]:
    """Return a test that warns: an API may add a value, which is loaded as it comes."""
    arguments: dict[str, Any] = {"values": [_plain(choice) for choice in column.choices]}
    if column.data_type != "text":
        arguments["quote"] = False
    return {"accepted_values": {"arguments": arguments, "config": {"severity": "warn"}}}


def _unique_key(table: ExportedTable) -> dict[str, Any]:
    """Return dbt's own test of uniqueness for a key of several columns, by an expression."""
    parts = [exp.cast(exp.column(name, quoted=True), "text") for name in table.key]
    key: exp.Expression = parts[0]
    for part in parts[1:]:
        key = exp.DPipe(
            this=exp.DPipe(this=key, expression=exp.Literal.string("|")), expression=part
        )
    return {"unique": {"arguments": {"column_name": key.sql(dialect=_dialect(table))}}}


def _loaded_at(table: ExportedTable) -> str:
    """Return the time of the load that wrote a row: its id is that time in seconds since 1970."""
    seconds = exp.cast(exp.column(LOAD), "double")
    return exp.UnixToTime(this=seconds).sql(dialect=_dialect(table))


def _dialect(table: ExportedTable) -> str | None:
    return table.warehouse.destination.capabilities().sqlglot_dialect


def _plain(text: str) -> str:
    """Return a text that dbt, which renders descriptions as Jinja, shows as it is."""
    if any(mark in text for mark in JINJA):
        return f"{{% raw %}}{text}{{% endraw %}}"
    return text
