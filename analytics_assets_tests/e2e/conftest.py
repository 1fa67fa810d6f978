"""All tests of this folder are marked `e2e`."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, among those of all folders."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
