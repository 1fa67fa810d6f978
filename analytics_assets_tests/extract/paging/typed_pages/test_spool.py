"""Pages that wait in a spool are decoded in batches, whose size is limited."""

from collections.abc import Sequence
from contextlib import closing
from threading import Event, Timer
from typing import Any

import pytest

from analytics_assets.extract.paging import spool
from analytics_assets.extract.rows.answer import AnswerDecoder
from analytics_assets.extract.rows.page_decoder import PageDecoder
from analytics_assets.extract.rows.row_place import RowPlace
from analytics_assets_tests.extract.paging.typed_pages.typed_orders import (
    CONTRACT,
    IN_COLUMNS,
    ORDERS,
    read,
)
from analytics_assets_tests.support.paged_server import paged


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pages of each batch."""
    found: list[int] = []
    decode = PageDecoder.decode

    def counted(self: PageDecoder, pages: Sequence[bytes], counts: Sequence[int]) -> Any:
        found.append(len(pages))
        return decode(self, pages, counts)

    monkeypatch.setattr(PageDecoder, "decode", counted)
    return found


@pytest.mark.usefixtures("in_a_load")
@pytest.mark.parametrize(
    ("limit", "most", "sizes"),
    [
        ("BATCH_PAGES", 4, [1, 2, 4, 4, 4, 4]),
        ("BATCH_BYTES", 1, [1] * 19),
        ("BATCH_BYTES", 1024 * 1024, [1, 2, 4, 8, 4]),
    ],
)
def test_a_batch_ends_at_each_of_its_limits(
    limit: str, most: int, sizes: list[int], batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, limit, most)

    assert read(paged(ORDERS)).rows == IN_COLUMNS
    assert batches == sizes


def test_rows_stay_in_the_spool_until_arrow_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, ended = Event(), Event()

    def import_slowly() -> None:
        may_end.wait(60)
        ended.set()

    monkeypatch.setattr(spool, "import_arrow", import_slowly)
    place = RowPlace("data")
    columns = PageDecoder(CONTRACT, "data")
    kept = spool.RowSpool(AnswerDecoder("orders", place, False, columns=lambda _: columns))
    with closing(kept):
        timer = Timer(0.1, may_end.set)
        timer.start()
        kept.finish()
        assert ended.is_set()
        timer.join()
