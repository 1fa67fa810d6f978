"""The file that describes an API: the lines of its entries, and errors with their line."""

from analytics_assets.orchestration.api_file.errors import (
    InvalidDefinitionsError,
    errors_for_dagster,
    errors_located,
    user_error,
)
from analytics_assets.orchestration.api_file.files import NAME, shown
from analytics_assets.orchestration.api_file.lines import ApiFile, lines_of_entries
from analytics_assets.orchestration.api_file.yaml_api import api_of
from analytics_assets.orchestration.api_file.yaml_file import COMPONENT, YAML_NAME, attributes_in

__all__ = [
    "COMPONENT",
    "NAME",
    "YAML_NAME",
    "ApiFile",
    "InvalidDefinitionsError",
    "api_of",
    "attributes_in",
    "errors_for_dagster",
    "errors_located",
    "lines_of_entries",
    "shown",
    "user_error",
]
