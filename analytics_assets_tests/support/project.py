"""Copies of the project, for tests that change the user's part of it."""

import shutil
from pathlib import Path

from analytics_assets_tests.conftest import ROOT


def copy_project(folder: Path) -> Path:
    """Copy the package and its `pyproject.toml`, which Dagster's loader reads.

    Args:
        folder: the folder of the copy; on `PYTHONPATH`, it precedes the original.

    Returns:
        The folder of the analytics API in the copy.
    """
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "analytics_assets", folder / "analytics_assets", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder / "analytics_assets" / "defs" / "analytics"
