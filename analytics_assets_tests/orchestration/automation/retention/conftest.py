"""An instance whose history is on disk."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.orchestration.compat import history_kept_open


@pytest.fixture
def stored(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with its history in SQLite files."""
    home = clean_place / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance, history_kept_open(instance):
        yield instance
