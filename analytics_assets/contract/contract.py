"""The contract of a resource: columns, primary key and names of its rows."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from dlt.common.schema.typing import TTableSchemaColumns

from analytics_assets.config.errors import ConfigurationError, did_you_mean, listed
from analytics_assets.config.resource import ResourceConfig, merged_columns
from analytics_assets.contract.column import Column
from analytics_assets.contract.compat import is_single_page, snake_case
from analytics_assets.contract.errors import BrokenReferenceError, TooManyColumnsError
from analytics_assets.contract.openapi.endpoints import Endpoints, stored_endpoints
from analytics_assets.contract.openapi.json_schema import MAX_COLUMNS, columns_of
from analytics_assets.contract.openapi.references import Schema
from analytics_assets.contract.openapi.response_schema import row_schema, rows_may_be_absent
from analytics_assets.contract.stored_table import StoredTable

LOG = logging.getLogger(__name__)
NAMELESS = "_empty"  # dlt's name for the column of a field without one


@dataclass(frozen=True)
class Contract:
    """Columns, primary key and names of a resource's rows.

    Args:
        resource: the resource.
        columns: its columns; empty if no document describes them.
        primary_key: the fields that tell rows apart, by the API's names.
        rename: the column of a field, where the two names differ.
        hard_delete: the column by which a row marks its key as deleted; None if there is none.
        problem: the reason why the document gives no columns; None if it does, or if it does not
            describe the rows.
        table: the stored table, where it differs.
        rows_may_be_absent: True if the document allows a response without a list of rows.
    """

    resource: str
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    hard_delete: str | None = None
    table: StoredTable = field(default_factory=StoredTable)
    rows_may_be_absent: bool = field(default=False, compare=False)

    @property
    def has_schema(self) -> bool:
        """True if a document describes the columns."""
        return bool(self.columns)

    def name_of(self, field: str, *within: str) -> str:
        """Return the column of a field: renamed, in dlt's snake case.

        Args:
            field: the field of a row; or a column's field, which has dots within an object.
            *within: the names that lead on from it to a field within an object.
        """
        nested = self._nested.get(field) if not within else None
        return nested or column_name(field, self.rename, *within)

    @cached_property
    def _nested(self) -> Mapping[str, str]:
        return {column.field: column.name for column in self.columns if column.parents}

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The table's columns of the primary key."""
        return tuple(self.name_of(part) for part in self.primary_key)

    def hints(self) -> TTableSchemaColumns:
        """Return the hints of the columns for dlt, by their names in the table.

        Only the key is NOT NULL there: rows are validated before they are loaded, and a warehouse
        can neither add such a column to a table with rows nor lift the constraint.
        """
        hints: TTableSchemaColumns = {}
        for column in self.columns:
            hints[column.name] = {
                "name": column.name,
                "data_type": column.data_type,
                "nullable": column.field not in self.primary_key,
            }
            if column.comment:
                hints[column.name]["description"] = column.comment
        return hints


def column_name(field: str, rename: Mapping[str, str], *within: str) -> str:
    """Return the column of a field: renamed, in dlt's snake case.

    Args:
        field: the field of a row.
        rename: the column of a field, where the two names differ.
        *within: the names that lead on from it to a field within an object.
    """
    names = (rename.get(field, field), *within)
    return "__".join(snake_case(name) if name.strip() else NAMELESS for name in names)


def hard_delete_column(columns: Any, rename: Mapping[str, str]) -> str | None:
    """Return the column with dlt's hint `hard_delete`; None if there is none.

    Args:
        columns: the hints of an entry.
        rename: the column of a field, where the two names differ.
    """
    hints = columns.items() if isinstance(columns, dict) else ()
    marks = [name for name, hint in hints if isinstance(hint, dict) and hint.get("hard_delete")]
    return column_name(marks[0], rename) if marks else None


def contract_of(resource: ResourceConfig, openapi: str | None) -> Contract:
    """Read the contract of a resource from the API's OpenAPI document.

    Args:
        resource: the resource.
        openapi: the file of the document; None if there is none.

    Returns:
        The contract, without columns where no document describes the rows.

    Raises:
        ContractError: the document cannot be read.
        ConfigurationError: `rename` does not fit the document, or two fields would become one
            column.
    """
    endpoints = stored_endpoints(openapi) if openapi else Endpoints({})
    contract = _contract(endpoints, resource)
    if contract.problem:
        LOG.warning("%s has no contract. %s.", resource.name, contract.problem)
    _check_rename(contract)
    _check_names(contract)
    _check_key(contract)
    return contract


def contract_in(
    document: Mapping[str, Any], resource: ResourceConfig, place: str = "The API's document"
) -> Contract:
    """Read the contract of a resource from a document, without checks of `rename` and names.

    Args:
        document: the OpenAPI document of the API.
        resource: the resource.
        place: the document in an error.

    Returns:
        The contract, without columns where the document does not describe the rows.
    """
    return _contract(Endpoints(document, place), resource)


def _contract(endpoints: Endpoints, resource: ResourceConfig) -> Contract:
    rename, key = resource.policy.rename, resource.primary_key
    hints = _hints_of(configured := merged_columns(resource.defaults, resource.entry))
    mark = hard_delete_column(configured, rename)
    try:
        schema = _row_schema(endpoints, resource)
        expands = _expansion(resource, hints)
        columns = columns_of(endpoints.references, schema, expands) if schema else ()
    except BrokenReferenceError as error:
        return Contract(resource.name, (), key, rename, str(error), mark)
    except TooManyColumnsError as error:
        raise ConfigurationError(
            f"policy of `{resource.name}`: with `nested` the document describes more than "
            f"{MAX_COLUMNS} columns; set `max_table_nesting` of the entry to the levels of objects "
            "to make columns of, such as 1."
        ) from error
    return Contract(
        resource.name,
        tuple(_as_configured(column, hints, key, rename) for column in columns),
        key,
        rename,
        hard_delete=mark,
        rows_may_be_absent=schema is not None and _rows_may_be_absent(endpoints, resource),
    )


def _expansion(
    resource: ResourceConfig, hints: Mapping[str, Mapping[str, Any]]
) -> Callable[[tuple[str, ...]], bool]:
    """Return a test, by its path, if dlt makes columns of an object that has no hint of a type."""
    policy, own = resource.policy, {**resource.defaults, **resource.entry}
    depth = own.get("max_table_nesting")

    def expands(path: tuple[str, ...]) -> bool:
        if policy.nested != "columns" or (depth is not None and len(path) > depth):
            return False
        name = column_name(path[0], policy.rename, *path[1:])
        return not any("data_type" in hints.get(each, {}) for each in (name, ".".join(path)))

    return expands


def _as_configured(
    column: Column,
    hints: Mapping[str, Mapping[str, Any]],
    key: tuple[str, ...],
    rename: Mapping[str, str],
) -> Column:
    """Override the document's column by the hints of `api.py`."""
    name = column_name(column.path[0], rename, *column.path[1:])
    hint = {**hints.get(name, {}), **hints.get(column.field, {})}
    return replace(
        column,
        name=name,
        data_type=hint.get("data_type", column.data_type),
        nullable=column.field not in key and bool(hint.get("nullable", column.nullable)),
        takes_nearest=hint.get("data_type") == "double",
    )


def _hints_of(columns: Any) -> dict[str, dict[str, Any]]:
    """Return the hints by column; those of another form are left to dlt."""
    hints = columns if isinstance(columns, dict) else {}
    known = ("data_type", "nullable")
    return {
        name: {key: hint[key] for key in known if hint.get(key) is not None}
        for name, hint in hints.items()
        if isinstance(hint, dict)
    }


def _rows_may_be_absent(endpoints: Endpoints, resource: ResourceConfig) -> bool:
    method = str(resource.endpoint.get("method") or "get")
    selector = resource.endpoint.get("data_selector")
    return any(
        rows_may_be_absent(endpoints, path, method, selector) for path in _paths_of(resource)
    )


def _row_schema(endpoints: Endpoints, resource: ResourceConfig) -> Schema | None:
    endpoint = resource.endpoint
    method, selector = str(endpoint.get("method") or "get"), endpoint.get("data_selector")
    paginator = endpoint.get("paginator") or resource.config["client"].get("paginator")
    accepts_object = is_single_page(paginator)
    found = (
        row_schema(endpoints, path, method, selector, accepts_object)
        for path in _paths_of(resource)
    )
    return next(filter(None, found), None)


def _paths_of(resource: ResourceConfig) -> list[str]:
    """Return the path of an endpoint, below that of the base URL first."""
    path, base_url = str(resource.endpoint["path"]), resource.config["client"].get("base_url")
    if not isinstance(base_url, str) or "://" in path:
        return [path]
    return [f"{urlsplit(base_url).path.rstrip('/')}/{path.lstrip('/')}", path]


def _check_rename(contract: Contract) -> None:
    fields = list(dict.fromkeys(column.path[0] for column in contract.columns))
    for name in contract.rename:
        if fields and name not in fields:
            raise ConfigurationError(
                f"policy of `{contract.resource}`: `rename` names the field `{name}`, which its "
                f"rows do not have{did_you_mean(name, fields)} Fields are {listed(fields)}."
            )


def _check_key(contract: Contract) -> None:
    nested = [column for column in contract.columns if column.parents]
    within = {name for column in nested for name in (column.field, column.name)}
    for part in within.intersection(contract.primary_key):
        raise ConfigurationError(
            f"resource `{contract.resource}`: its `primary_key` names `{part}`, a field within an "
            'object. Copy it to a field of the row by "processing_steps": [{"map": ...}], and name '
            "that field."
        )


def _check_names(contract: Contract) -> None:
    known: dict[tuple[str, str], Column] = {}
    for column in contract.columns:
        # a field may have dots in its name, like the path of another one
        for key in (("column", column.name), ("field", column.field)):
            other = known.setdefault(key, column)
            if other is column:
                continue
            whole = next((each.path[0] for each in (column, other) if each.parents), None)
            if whole:
                hint = f'"columns": {{"{whole}": {{"data_type": "json"}}}}'
                remedy = f"keep `{whole}` whole by {hint} in its entry."
            else:
                remedy = "give one of them another name in its policy, such as "
                remedy += f'"rename": {{"{column.field}": "{column.name}_2"}}.'
            raise ConfigurationError(
                f"resource `{contract.resource}`: its fields `{other.field}` and `{column.field}` "
                f"would both become the column `{column.name}`; {remedy}"
            )
