"""The `incremental` of dlt 1.31, on whose defects the reading of children depends."""

from collections.abc import Iterator
from typing import Any

import dlt

from analytics_assets.extract import compat

AT = dlt.sources.incremental("at", 1)


def test_incremental_of_a_transformer_is_bound_with_each_call_at_the_newest_value() -> None:
    starts = []

    @dlt.transformer(name="bound_with_each_call")
    def lines(order: int, at: dlt.sources.incremental[int] = AT) -> Iterator[Any]:
        starts.append(at.start_value)
        yield {"order": order, "at": 90 - 10 * order}

    found = dlt.resource(iter([1, 2, 3]), name="orders") | lines

    assert [row["order"] for row in found] != [1, 2, 3]  # some are below the start by then
    assert (starts[0], starts[-1]) == (1, 80)


def test_incremental_get_transform_writes_the_newest_value_since_its_bind_into_the_state() -> None:
    states = []

    @dlt.resource(name="kept_newest")
    def orders(at: dlt.sources.incremental[int] = AT) -> Iterator[Any]:
        compat.keep_newest(at, 50)
        for newest in (20, 60):
            yield [{"at": newest}]
            states.append(at.last_value)

    assert [row["at"] for row in orders()] == [20, 60]
    assert states == [50, 60]
