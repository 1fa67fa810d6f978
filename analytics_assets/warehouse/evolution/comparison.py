"""A resource's contract held against its stored table, before its rows are read."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dlt.common.schema.typing import DLT_NAME_PREFIX

from analytics_assets.config.resource import ResourceConfig, as_fields
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.stored_table import TYPE, StoredTable
from analytics_assets.warehouse.errors import StoredTypeError
from analytics_assets.warehouse.evolution.column_type import ColumnType
from analytics_assets.warehouse.evolution.layout import columns_elsewhere, json_column_around
from analytics_assets.warehouse.evolution.widening import BIGINT_DIGITS, can_widen, holds
from analytics_assets.warehouse.queries.tables import Tables


@dataclass(frozen=True)
class Comparison:
    """A contract held against the stored table.

    Args:
        contract: the contract, with the stored table where that differs.
        widened: columns whose type the load widens, and both types.
        kept: columns that keep another type or layout than declared, and the place of new values.
    """

    contract: Contract
    widened: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)


def compare(tables: Tables, resource: ResourceConfig, contract: Contract) -> Comparison:
    """Compare a contract with the table in the warehouse.

    Args:
        tables: the open warehouse.
        resource: the resource, with the hints of its entry.
        contract: its contract.

    Raises:
        StoredTypeError: a load would alter values, or could not tell keys apart.
    """
    stored = {
        name: column
        for name, column in tables.columns(resource.table).items()
        if not name.startswith(DLT_NAME_PREFIX) and tables.column_name(name) == name
    }
    if not stored:
        return Comparison(contract)
    declared = _declared(resource, contract)
    new_json = [name for name in declared.keys() - stored if declared[name]["data_type"] == "json"]
    children = tables.children(resource.table) if new_json else ()
    lists = [child.removeprefix(f"{resource.table}__") for child in children]
    keys = [*contract.primary_key, *as_fields(resource.merge_key)]
    return compare_columns(
        contract,
        declared,
        stored,
        columns_elsewhere(declared, stored, lists),
        {contract.name_of(key) for key in keys},
        partial(can_widen, tables, resource.table),
    )


def compare_columns(
    contract: Contract,
    declared: Mapping[str, Any],
    stored: Mapping[str, Any],
    elsewhere: Collection[str],
    keys: Collection[str],
    widens: Callable[[str, ColumnType, ColumnType], bool],
) -> Comparison:
    """Compare the columns of a contract with those of a table.

    Args:
        contract: the contract.
        declared: the columns by contract and entry: hints of dlt by name.
        stored: the columns of the table.
        elsewhere: declared columns whose values are in others of the table.
        keys: the columns of the primary key and the merge key.
        widens: tests if a stored column can take over a type, by its name and both types.

    Raises:
        StoredTypeError: a load would alter values, or could not tell keys apart.
    """
    types = {name: _type(stored[name]) for name in stored if ColumnType.of(stored[name])}
    kept = {name: types[name] for name in elsewhere if name in types}
    widened = dict[str, str]()
    places = {name: _layout(name, stored) for name in elsewhere}
    for name in [each for each in declared if each in types and each not in elsewhere]:
        old, new = ColumnType.of(stored[name]), ColumnType.of(declared[name])
        if not old or not new or holds(old, new):
            continue
        if widens(name, old, new):
            widened[name] = f"{old} to {new}"
        elif _is_refused(old, new) or (name in keys and not _has_a_form(old, new)):
            raise StoredTypeError(contract.resource, name, old, new, is_key=name in keys)
        else:
            kept[name] = types[name]
            places[name] = _place(name, old, new)
    undeclared = {name: types[name] for name in types if name not in declared}
    table = StoredTable(kept, undeclared, frozenset(elsewhere))
    return Comparison(replace(contract, table=table), widened, places)


def _declared(resource: ResourceConfig, contract: Contract) -> dict[str, Any]:
    """Return the columns by contract and entry: hints of dlt by name."""
    declared: dict[str, Any] = {**contract.hints()}
    own = resource.columns
    for field_name, hint in own.items() if isinstance(own, dict) else ():
        name = contract.name_of(field_name)
        declared[name] = {**declared.get(name, {}), **hint}
    return {name: hint for name, hint in declared.items() if hint.get("data_type")}


def _type(column: Mapping[str, Any]) -> Any:
    """Return the hint that gives a column of dlt the type of a stored one."""
    is_decimal = column["data_type"] == "decimal"
    parts = TYPE if is_decimal else ("data_type",)
    return {"name": column["name"], **{part: column[part] for part in parts if part in column}}


def _has_a_form(stored: ColumnType, new: ColumnType) -> bool:
    """Test if each value of a type has one form in a stored column of another type."""
    return (
        stored == ColumnType("text")
        or (stored.kind, new.kind) == ("timestamp", "date")
        or (new.kind == "bigint" and stored.kind == "decimal" and stored.digits >= BIGINT_DIGITS)
    )


def _is_refused(stored: ColumnType, new: ColumnType) -> bool:
    """Test if values of a type would be cut or misread in a stored column of another type."""
    if stored.kind == "decimal":
        return new.kind in ("decimal", "double", "bigint") and not _has_a_form(stored, new)
    return "binary" in (stored.kind, new.kind)


def _place(name: str, stored: ColumnType, new: ColumnType) -> str:
    """Return the place of new values."""
    if stored.kind == "json":
        return f"stays json, in which {new} values are written as JSON"
    if _has_a_form(stored, new):
        return f"stays {stored}, in which {new} values are written as such"
    return f"stays {stored}; values of {new} that do not fit are in {name}__v_{new.kind}"


def _layout(name: str, stored: Mapping[str, Any]) -> str:
    """Return the place of values that are in other columns than the declared one."""
    around = json_column_around(name, stored)
    if around:
        return f"stays in the JSON column `{around}`"
    return "stays in columns and tables of its parts, as dlt inferred them"
