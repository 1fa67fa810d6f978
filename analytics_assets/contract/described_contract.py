"""The contract of a resource by the API's OpenAPI document, the entry and its policy."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from analytics_assets.config.entry.rows import rows_config
from analytics_assets.config.errors import ConfigurationError, did_you_mean, listed
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.timestamps import kind_of
from analytics_assets.contract.column import Column, variant_of
from analytics_assets.contract.compat import is_single_page
from analytics_assets.contract.contract import Contract, column_name, hard_delete_column
from analytics_assets.contract.errors import SchemaError, TooManyColumnsError
from analytics_assets.contract.openapi.endpoints import Endpoints, stored_endpoints
from analytics_assets.contract.openapi.json_schema import MAX_COLUMNS, columns_of
from analytics_assets.contract.openapi.references import Schema
from analytics_assets.contract.openapi.response_schema import row_schema, rows_may_be_absent
from analytics_assets.contract.sensitive import check_sensitive

LOG = logging.getLogger(__name__)


def contract_of(resource: ResourceConfig, openapi: str | None) -> Contract:
    """Read the contract of a resource from the API's OpenAPI document.

    Args:
        resource: the resource.
        openapi: the file of the document; None if there is none.

    Returns:
        The contract, without columns where no document describes the rows.

    Raises:
        ContractError: the document cannot be read.
        ConfigurationError: `rename` or `sensitive` does not fit the document, or two fields would
            become one column.
    """
    contract = contract_in(stored_endpoints(openapi) if openapi else Endpoints({}), resource)
    if contract.problem:
        LOG.warning("%s has no contract. %s.", resource.name, contract.problem)
    _check_fields(contract, resource.added_fields)
    _check_names(contract)
    _check_key(contract)
    check_sensitive(resource, contract)
    return contract


def contract_in(endpoints: Endpoints, resource: ResourceConfig) -> Contract:
    """Read the contract of a resource from a document, without checks of `rename` and names.

    Args:
        endpoints: those of the API's OpenAPI document.
        resource: the resource.

    Returns:
        The contract, without columns where the document does not describe the rows.
    """
    policy, hints = resource.policy, _hints_of(resource.columns)
    contract = Contract(
        resource.name,
        primary_key=resource.primary_key,
        rename=policy.rename,
        hard_delete=hard_delete_column(resource.columns, policy.rename),
        tombstone=policy.tombstone,
        time_formats=policy.time_formats,
    )
    try:
        with endpoints.references.limited():
            schema = _row_schema(endpoints, resource)
            expands = _expansion(resource, hints)
            columns = columns_of(endpoints.references, schema, expands) if schema else ()
            absent = schema is not None and _rows_may_be_absent(endpoints, resource)
    except SchemaError as error:
        return replace(contract, problem=str(error))
    except TooManyColumnsError as error:
        raise ConfigurationError(
            f"policy of `{resource.name}`: with `nested` the document describes more than "
            f"{MAX_COLUMNS} columns; set `max_table_nesting` of the entry to the levels of objects "
            "to make columns of, such as 1."
        ) from error
    return replace(
        contract,
        columns=tuple(_as_configured(column, resource, hints) for column in columns),
        rows_may_be_absent=absent,
    )


def _expansion(
    resource: ResourceConfig, hints: Mapping[str, Mapping[str, Any]]
) -> Callable[[tuple[str, ...]], bool]:
    """Return a test, by its path, if dlt makes columns of an object that has no hint of a type."""
    policy, depth = resource.policy, resource.merged_entry.get("max_table_nesting")

    def expands(path: tuple[str, ...]) -> bool:
        if policy.nested != "columns" or (depth is not None and len(path) > depth):
            return False
        name = column_name(path[0], policy.rename, *path[1:])
        return not any("data_type" in hints.get(each, {}) for each in (name, ".".join(path)))

    return expands


def _as_configured(
    column: Column, resource: ResourceConfig, hints: Mapping[str, Mapping[str, Any]]
) -> Column:
    """Override the document's column by the hints of `api.py`, and by the format of its times."""
    described, policy = column.data_type, resource.policy
    time_format = policy.time_formats.get(column.field)
    if time_format and described not in ("timestamp", "date", "time"):
        described = kind_of(time_format)
    name = column_name(column.path[0], policy.rename, *column.path[1:])
    hint = {**hints.get(name, {}), **hints.get(column.field, {})}
    return replace(
        column,
        name=name,
        data_type=hint.get("data_type", described),
        nullable=column.field not in resource.primary_key
        and bool(hint.get("nullable", column.nullable)),
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
    rows = rows_config(f"resource `{resource.name}`", resource.merged_entry)
    if rows and rows.makes_rows:  # the document describes what the API sends, and no row
        return None
    method, selector = str(endpoint.get("method") or "get"), endpoint.get("data_selector")
    accepts_object = is_single_page(resource.paginator)
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


def _check_fields(contract: Contract, added: Collection[str]) -> None:
    described = [column.path[0] for column in contract.columns]
    fields = list(dict.fromkeys((*described, *sorted(added))))
    for setting, names in (("rename", contract.rename), ("time_formats", contract.time_formats)):
        for name in names if described else ():
            outer = name.split(".")[0] if setting == "time_formats" else name
            if not {name, outer}.intersection(fields):
                raise ConfigurationError(
                    f"policy of `{contract.resource}`: `{setting}` names the field `{name}`, which "
                    f"its rows do not have{did_you_mean(name, fields)} Fields are {listed(fields)}."
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
            raise ConfigurationError(
                f"resource `{contract.resource}`: its fields `{other.field}` and `{column.field}` "
                f"would both become the column `{column.name}`; {_remedy(column, other)}"
            )
    names = {column.name: column for column in contract.columns}
    for column in contract.columns:
        beside = names.get(variant_of(column.name) or "")
        if beside:
            raise ConfigurationError(
                f"resource `{contract.resource}`: its field `{column.field}` has the name of "
                f"the variant column in which dlt stores values of `{beside.field}` of a second "
                f"type; {_remedy(column, beside)}"
            )


def _remedy(column: Column, other: Column) -> str:
    whole = next((each.path[0] for each in (column, other) if each.parents), None)
    if whole:
        hint = f'"columns": {{"{whole}": {{"data_type": "json"}}}}'
        return f"keep `{whole}` whole by {hint} in its entry."
    rename = f'"rename": {{"{column.field}": "{column.name}_2"}}'
    return f"give one of them another name in its policy, such as {rename}."
