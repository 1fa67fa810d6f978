"""Errors of the warehouse."""

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
