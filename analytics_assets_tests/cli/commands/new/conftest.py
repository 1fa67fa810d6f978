"""A `defs/` of the test's own, which a test may fill."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets import defs


@pytest.fixture
def project(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty `defs/`, which a test may fill."""
    place = clean_place / "defs"
    place.mkdir()
    monkeypatch.setattr(defs, "__path__", [str(place)])
    yield place
    for name in [name for name in sys.modules if name.startswith(f"{defs.__name__}.")]:
        del sys.modules[name]
