"""What a row of a resource must be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dlt.common.normalizers.naming.snake_case import NamingConvention
from dlt.common.schema.typing import TTableSchemaColumns

from analytics_assets.configuration import Api
from analytics_assets.contract.column import Column

_NAMING = NamingConvention()


@dataclass(frozen=True)
class Contract:
    """What a row of a resource must be.

    Args:
        resource: the resource.
        columns: its fields; empty if no document says what they are.
        primary_key: the fields that tell rows apart, by the API's names.
        rename: the column of a field, where it is not called like the field.
    """

    resource: str
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_schema(self) -> bool:
        """Whether a document says what the fields are."""
        return bool(self.columns)

    def name_of(self, field: str) -> str:
        """Return the table's column of a field: as renamed, and as dlt writes it."""
        return column_name(field, self.rename)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The table's columns of the primary key."""
        return tuple(self.name_of(part) for part in self.primary_key)

    def hints(self) -> TTableSchemaColumns:
        """Return the columns as dlt takes them, by their names in the table."""
        hints: TTableSchemaColumns = {}
        for column in self.columns:
            hints[column.name] = {
                "name": column.name,
                "data_type": column.data_type,
                "nullable": column.nullable,
            }
            if column.description:
                hints[column.name]["description"] = column.description
        return hints


def column_name(field: str, rename: Mapping[str, str]) -> str:
    """Return the table's column of a field: as renamed, and as dlt writes it."""
    return _NAMING.normalize_path(rename.get(field, field))


def contract_of(api: Api, resource: str) -> Contract:
    """Read what a row of a resource must be.

    Args:
        api: the API.
        resource: the resource.

    Returns:
        The contract, without columns where no document says what the rows are.

    Raises:
        ContractError: the document cannot be read.
        ConfigurationError: the entry does not go with the document.
    """
    rename = api.policy(resource).rename
    return Contract(resource, primary_key=api.primary_key(resource), rename=rename)
