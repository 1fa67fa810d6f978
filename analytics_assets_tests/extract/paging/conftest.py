"""Reads as in a load, but without a warehouse."""

from collections.abc import Sequence
from typing import Any

import pytest

from analytics_assets.extract.rows.page_decoder import PageDecoder


@pytest.fixture
def in_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as dlt does while it extracts for a load."""
    monkeypatch.setattr("dlt.current.load_package_state", lambda: {"load_id": "a load"})


@pytest.fixture(params=["one", "16"])
def pages_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of pages that are requested at once."""
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1" if request.param == "one" else "16")
    monkeypatch.setenv("READING__ADAPTIVE", "false")


@pytest.fixture
def typed_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each page that was decoded straight into columns; 0 if it could not."""
    taken: list[int] = []
    decode = PageDecoder.decode

    def counted(self: PageDecoder, pages: Sequence[bytes], counts: Sequence[int]) -> Any:
        found = decode(self, pages, counts)
        if found or len(pages) == 1:  # else they are decoded one by one
            taken.extend([count if found else 0 for count in counts])
        return found

    monkeypatch.setattr(PageDecoder, "decode", counted)
    return taken
