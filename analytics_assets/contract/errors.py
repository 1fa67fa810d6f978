"""Errors of the contract."""

from analytics_assets.config.errors import AnalyticsAssetsError


class ContractError(AnalyticsAssetsError):
    """An OpenAPI document cannot be read; the message names it and the remedy."""


class BrokenReferenceError(ContractError):
    """A `$ref` of a document leads nowhere; the message has its file, its pointer and its target.

    Only the resources that need its target are without a contract. No full stop ends the message,
    so that its reader can add what follows from it.
    """


class TooManyColumnsError(ContractError):
    """Objects within objects of a row make more columns than a table should have."""
