"""Children with dlt's own `incremental`: it starts at the same value for all parents."""

from pathlib import Path
from typing import Any

import dlt
import pytest

from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    drain,
    orders,
    paged,
    rows,
    serving,
    source_of,
)

IN_PARAMS = {"params": {"since": {"type": "incremental", "cursor_path": "at", "initial_value": 1}}}
IN_TEMPLATE = {
    "incremental": {"cursor_path": "at", "initial_value": 1},
    "params": {"since": "{incremental.start_value}"},
}


def lines(incremental: dict[str, Any], **options: Any) -> dict[str, Any]:
    endpoint = {"path": "orders/{resources.orders.id}/lines", "paginator": "single_page"}
    return {"name": "lines", "endpoint": {**endpoint, **incremental}, **options}


def answer(asked: Request) -> Answer:
    """Answer as an API with three orders; the first one changed last."""
    if asked.path == "/orders":
        return paged(rows(1, 2, 3))(asked)
    order = int(asked.path.split("/")[2])
    return Answer({"data": [{"id": f"{order}-{line}", "at": 90 - 10 * order} for line in (1, 2)]})


@pytest.mark.parametrize("incremental", [IN_PARAMS, IN_TEMPLATE])
@pytest.mark.parametrize("options", [{}, {"parallelized": True}])
def test_rows_of_later_parents_are_asked_for_and_read(
    incremental: dict[str, Any], options: dict[str, Any]
) -> None:
    with serving(answer) as server:
        source = source_of(server, orders(paginator="single_page"), lines(incremental, **options))
        read = drain(source.with_resources("lines"))
        asked = [each.number("since") for each in server.requests if each.path != "/orders"]

    assert sorted(read.numbers) == ["1-1", "1-2", "2-1", "2-2", "3-1", "3-2"]
    assert asked == [1, 1, 1]


@pytest.mark.parametrize("incremental", [IN_PARAMS, IN_TEMPLATE])
def test_the_next_load_starts_at_the_newest_row_of_all_parents(
    incremental: dict[str, Any], tmp_path: Path
) -> None:
    with serving(answer) as server:
        for _ in range(2):
            pipeline = dlt.pipeline("shop", pipelines_dir=str(tmp_path), destination="duckdb")
            pipeline.extract(source_of(server, orders(paginator="single_page"), lines(incremental)))
            pipeline.deactivate()
        asked = [each.number("since") for each in server.requests if each.path != "/orders"]

    assert asked == [1, 1, 1, 80, 80, 80]
