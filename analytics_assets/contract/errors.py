"""Errors of the contract."""

from analytics_assets.config.errors import AnalyticsAssetsError


class ContractError(AnalyticsAssetsError):
    """An OpenAPI document cannot be read; the message names it and the remedy."""


class SchemaError(ContractError):
    """A schema of a document cannot be used; the message has its file and its pointer.

    Only the resources that need it are without a contract. No full stop ends the message, so that
    its reader can add what follows from it.
    """


class BrokenReferenceError(SchemaError):
    """A `$ref` of a document leads nowhere; the message has its target, too."""


class SchemaTooLargeError(SchemaError):
    """A schema unfolds into more parts, or more levels, than the columns of a table can need."""


class TooManyColumnsError(ContractError):
    """Objects within objects of a row make more columns than a table should have."""
