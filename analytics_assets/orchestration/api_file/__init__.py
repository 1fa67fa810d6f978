"""The file that describes an API: the lines of its entries, and errors with their line."""

from analytics_assets.orchestration.api_file.errors import (
    InvalidDefinitionsError,
    errors_for_dagster,
    errors_located,
    user_error,
)
from analytics_assets.orchestration.api_file.files import NAME, shown
from analytics_assets.orchestration.api_file.lines import ApiFile, lines_of_entries

__all__ = [
    "NAME",
    "ApiFile",
    "InvalidDefinitionsError",
    "errors_for_dagster",
    "errors_located",
    "lines_of_entries",
    "shown",
    "user_error",
]
