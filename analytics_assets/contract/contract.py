"""The contract of a resource: columns, primary key and names of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

from analytics_assets.config.policy import Tombstone
from analytics_assets.config.times.timestamps import kind_of
from analytics_assets.contract.column import Column
from analytics_assets.contract.compat import snake_case
from analytics_assets.contract.stored_table import StoredTable

NAMELESS = "_empty"  # dlt's name for the column of a field without one
# by which dlt deletes the keys of tombstones: true in rows of a load, null in all of the table
DELETED = "_dlt_deleted"
DELETED_HINT: TColumnSchema = {
    "name": DELETED,
    "data_type": "bool",
    "nullable": True,
    "hard_delete": True,
}


@dataclass(frozen=True)
class Contract:
    """Columns, primary key and names of a resource's rows.

    Args:
        resource: the resource.
        columns: its columns; empty if no document describes them.
        primary_key: the fields that tell rows apart, by the API's names.
        rename: the column of a field, where the two names differ.
        hard_delete: the column by which a row marks its key as deleted; None if there is none.
        tombstone: the field that marks a row as deleted, and what becomes of it; None without one.
        problem: the reason why the document gives no columns; None if it does, or if it does not
            describe the rows.
        table: the stored table, where it differs.
        rows_may_be_absent: True if the document allows a response without a list of rows.
        time_formats: the formats of times that are not in ISO format, by field; of a field within
            an object its path.
    """

    resource: str
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    hard_delete: str | None = None
    tombstone: Tombstone | None = None
    table: StoredTable = field(default_factory=StoredTable)
    rows_may_be_absent: bool = field(default=False, compare=False)
    time_formats: Mapping[str, str] = field(default_factory=dict)

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
        for name, form in self.formats.items():
            hints.setdefault(name, {"name": name, "data_type": kind_of(form)})
        if self.tombstone and self.tombstone["rows"] == "delete":
            hints[DELETED] = DELETED_HINT
        return hints

    @cached_property
    def formats(self) -> Mapping[str, str]:
        """The formats of times by column, without those within an object that stays JSON."""
        names = {column.field: column.name for column in self.columns}
        whole = {column.field for column in self.columns if column.data_type == "json"}
        return {
            names.get(field) or self.name_of(*field.split(".")): form
            for field, form in self.time_formats.items()
            if field in names or field.split(".")[0] not in whole
        }


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
