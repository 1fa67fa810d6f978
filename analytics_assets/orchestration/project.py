"""The definitions of a whole project: every API below its `defs/`, loaded by Dagster's loader."""

from pathlib import Path

import dagster as dg

from analytics_assets.config.resource import refuse_shared_tables
from analytics_assets.garbage_collection import objects_kept
from analytics_assets.orchestration.api_file import errors_located
from analytics_assets.orchestration.metadata.materialization import TABLE_NAME


def load_project(folder: Path) -> dg.Definitions:
    """Load the definitions of all APIs.

    https://docs.dagster.io/guides/build/projects-and-components

    Args:
        folder: a folder of the project whose `pyproject.toml` names its `defs` module.

    Returns:
        The definitions below `defs/`, merged.

    Raises:
        ConfigurationError: an `api.py` has an error, or two resources have the same table.
    """
    with objects_kept():
        with errors_located():
            definitions = dg.load_from_defs_folder(path_within_project=folder)
        refuse_shared_tables(
            (spec.key.to_user_string(), spec.metadata[TABLE_NAME])
            for spec in definitions.resolve_all_asset_specs()
            if "dlt" in spec.kinds and TABLE_NAME in spec.metadata
        )
        return definitions
