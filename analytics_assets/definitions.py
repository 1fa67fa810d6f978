"""Dagster's front door: the definitions of every API in `defs/`."""

from pathlib import Path

import dagster as dg

from analytics_assets import defs
from analytics_assets.orchestration.api_file import errors_for_dagster
from analytics_assets.orchestration.project import load_project
from analytics_assets.redaction.errors import errors_redacted


@dg.definitions
def definitions() -> dg.Definitions:
    """Load every API in `defs/`, without a secret and without a network."""
    with errors_redacted(), errors_for_dagster():
        return load_project(Path(__file__).parent, defs)
