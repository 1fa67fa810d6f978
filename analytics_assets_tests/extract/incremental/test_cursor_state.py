"""The cursor in dlt's state: stored with its rows, reset, and refused where it is of no use."""

from datetime import UTC, datetime
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.load import Incremental
from analytics_assets_tests.extract.incremental.shop import DAY, INITIAL, Shop, changed, error_of
from analytics_assets_tests.support.paged_server import Answer, row


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_the_first_load_starts_at_the_initial_value_and_the_next_a_lookback_before_the_newest() -> (
    None
):
    shop = Shop([changed(3), changed(5)])

    assert shop.load() == [INITIAL]
    shop.rows = [changed(3), changed(5), changed(9)]
    assert shop.load() == ["2026-01-04T00:00:00Z"]
    assert shop.load() == ["2026-01-08T00:00:00Z"]
    assert shop.table() == [3, 5, 9]


@pytest.mark.usefixtures("warehouse")
def test_a_load_that_fails_in_the_warehouse_leaves_the_cursor_where_it_was() -> None:
    shop = Shop([changed(3)])
    shop.load()
    with shop.pipeline.sql_client() as client:
        client.execute_sql("ALTER TABLE orders RENAME TO moved")
        client.execute_sql("CREATE VIEW orders AS SELECT DISTINCT * FROM moved")
    shop.rows = [changed(3), changed(9)]
    with pytest.raises(PipelineStepFailed):
        shop.load()
    with shop.pipeline.sql_client() as client:
        client.execute_sql("DROP VIEW orders")
        client.execute_sql("ALTER TABLE moved RENAME TO orders")

    assert shop.load() == ["2026-01-02T00:00:00Z"]
    assert shop.table() == [3, 9]


def test_a_read_that_fails_leaves_the_cursor_where_it_was() -> None:
    shop = Shop([changed(3)])
    shop.read()
    shop.rows = [changed(3), changed(5), changed(7), changed(9)]
    complete = shop.answer
    shop.answer = lambda asked: complete(asked) if asked.number("offset") < 2 else Answer({}, 404)  # type: ignore[method-assign]
    with pytest.raises(PipelineStepFailed):
        shop.read()
    shop.answer = complete  # type: ignore[method-assign]

    assert shop.read() == ["2026-01-02T00:00:00Z"]
    assert shop.rows_read == 4


def test_a_chosen_start_that_leaves_no_gap_advances_the_cursor() -> None:
    shop = Shop([changed(3), changed(9)])
    shop.read()
    shop.rows = [changed(3), changed(4), changed(9), changed(11)]

    assert shop.read(start=datetime(2026, 1, 4, tzinfo=UTC)) == ["2026-01-04T00:00:00Z"]
    assert shop.read() == ["2026-01-10T00:00:00Z"]


def test_a_chosen_start_after_the_cursor_does_not_advance_it_past_rows_that_were_not_read() -> None:
    shop = Shop([changed(3)])
    shop.read()
    shop.rows = [changed(3), changed(5), changed(9)]

    assert shop.read(start=datetime(2026, 1, 8, tzinfo=UTC)) == ["2026-01-08T00:00:00Z"]
    assert shop.rows_read == 1
    assert shop.read() == ["2026-01-02T00:00:00Z"]
    assert shop.rows_read == 3


def test_a_full_refresh_starts_at_the_initial_value_and_may_set_the_cursor_back() -> None:
    shop = Shop([changed(3), changed(9)])
    shop.read()
    shop.rows = [changed(2), changed(3)]

    assert shop.read(full_refresh=True) == [INITIAL]
    assert shop.metrics["cursor_before"] == "2026-01-09T00:00:00+00:00"
    assert shop.read() == ["2026-01-02T00:00:00Z"]


def test_an_earlier_initial_value_than_that_of_earlier_loads_reads_the_past() -> None:
    shop = Shop([{**changed(3), "at": "2025-06-01T00:00:00Z"}, changed(9)])
    shop.read()
    assert shop.rows_read == 1
    earlier = Incremental(param="since", field="at", initial_value="2025-01-01", lookback=DAY)

    assert shop.read(earlier) == ["2025-01-01"]
    assert shop.rows_read == 2
    assert shop.read(earlier) == ["2026-01-08"]


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ("2999-01-01T00:00:00Z", "'2999-01-01T00:00:00Z', which is yet to come, so that no load"),
        (17, "17, which is no time"),
        ("Monday", "'Monday', which is no time"),
    ],
)
def test_a_stored_cursor_by_which_nothing_would_be_read_is_refused_until_a_full_refresh(
    stored: Any, reason: str
) -> None:
    shop = Shop([row(1, at=stored)])
    shop.read_by_dlts_own_cursor()
    assert shop.stored == stored
    shop.rows = [changed(3)]

    assert reason in error_of(shop)
    assert "set `full_refresh: true`" in error_of(shop)
    assert shop.read(full_refresh=True) == [INITIAL]
    assert shop.read() == ["2026-01-02T00:00:00Z"]


def test_a_cursor_that_dlt_has_stored_for_the_entry_itself_is_taken_over() -> None:
    shop = Shop([changed(3), changed(9)])
    shop.read_by_dlts_own_cursor()
    assert shop.stored == "2026-01-09T00:00:00Z"

    assert shop.read() == ["2026-01-08T00:00:00Z"]
