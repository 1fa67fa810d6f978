"""Rows out of an API: pure dlt, knows nothing of Dagster."""

from analytics_assets.extract.source import rest_api_source

__all__ = ["rest_api_source"]
