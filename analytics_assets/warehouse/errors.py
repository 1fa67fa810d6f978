"""Errors of the warehouse."""

from collections.abc import Sequence

from analytics_assets.config.errors import AnalyticsAssetsError


class WarehouseError(AnalyticsAssetsError):
    """The warehouse cannot be used."""


class WarehouseLockedError(WarehouseError):
    """Another process holds a table, or the DuckDB file.

    Args:
        held: the table or the file.
        holder: the process, and the run that it belongs to.
        message: both as a sentence, and the remedy.
    """

    def __init__(self, held: str, holder: str, message: str) -> None:
        super().__init__(message)
        self.held = held
        self.holder = holder


class SpanUnknownError(AnalyticsAssetsError):
    """A column is no date or time, so that the rows of a span of time are not known."""


class StoredTypeError(WarehouseError):
    """A column of a table has a type in which a load would alter values.

    Args:
        where: the resource, or the table.
        column: the column.
        stored: its type in the warehouse.
        new: its type in the load.
        is_key: True if keys might not be told apart.
        is_child: True if the table is one of lists within rows, which no entry gives types.
    """

    def __init__(
        self,
        where: str,
        column: str,
        stored: object,
        new: object,
        *,
        is_key: bool = False,
        is_child: bool = False,
    ) -> None:
        risk = "could overwrite the rows of others" if is_key else "would be altered or lost"
        kind = str(stored).partition("(")[0]
        remedy = (
            f'Keep the stored type by "columns": {{"{column}": {{"data_type": "{kind}"}}}} in the '
            'entry, or widen it by "text" in that place, or load into another table (`table_name`).'
        )
        if is_child:
            remedy = f"Give it the type {new} in the warehouse, or drop the table."
        super().__init__(
            f"{where}: its column `{column}` is stored as {stored}, in which values of {new} "
            f"{risk}, and it cannot be widened to that type. Nothing was changed. {remedy}"
        )


class ColumnInUseError(WarehouseError):
    """A column cannot be widened, as views or indexes depend on it.

    Args:
        table: the table.
        column: the column.
        stored: its type in the warehouse.
        new: its type in the load.
        dependents: the views or indexes, by kind and name.
    """

    def __init__(
        self, table: str, column: str, stored: str, new: str, dependents: Sequence[str]
    ) -> None:
        super().__init__(
            f"{table}: its column `{column}` cannot be widened from {stored} to {new}, as "
            f"{' and '.join(dependents)} depend on it. Nothing was changed. Drop them, load again, "
            "and create them anew."
        )
