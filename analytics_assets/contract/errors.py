"""Errors of the contract."""

from analytics_assets.config.errors import AnalyticsAssetsError


class ContractError(AnalyticsAssetsError):
    """An OpenAPI document cannot be read; the message names it and the remedy."""
