"""What is wrong with an OpenAPI document, said so that it can be mended."""

from analytics_assets.config.errors import AnalyticsAssetsError


class ContractError(AnalyticsAssetsError):
    """An OpenAPI document cannot be read; the message names it and what to do."""
