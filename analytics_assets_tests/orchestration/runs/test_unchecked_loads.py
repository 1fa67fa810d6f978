"""What several loads say together."""

from typing import Any

import pytest

from analytics_assets.orchestration.runs.unchecked_loads import combined


def told(load_id: str, received: int, **parts: Any) -> dict[str, Any]:
    usual = {"rows_expected": received, "rows_rejected": 0, "complete": True, "passes": 1}
    return {"load_id": load_id, "rows_received": received, **usual, **parts}


def test_one_load_says_what_it_says() -> None:
    assert combined([]) == {}
    load = told("1", 5, window="a")
    assert combined([load, {**load, "dagster/row_count": 9}]) == load


def test_rows_are_added_up_and_partitions_of_one_window_count_once() -> None:
    loads = [told("2", 7, rows_rejected=1), told("1", 5), told("1", 5)]
    together = combined(loads)
    assert together["load_id"] == "1, 2"
    assert (together["rows_received"], together["rows_expected"]) == (12, 12)
    assert (together["rows_rejected"], together["complete"]) == (1, True)


@pytest.mark.parametrize(
    ("first", "name", "value"),
    [
        ({"rows_expected": "not said"}, "rows_expected", "not said"),
        ({"complete": False}, "complete", False),
        ({"unknown_fields": {"zip": "text"}}, "unknown_fields", {"zip": "text", "age": "bigint"}),
        ({"absent_fields": ["a", "b"]}, "absent_fields", ["b"]),
        ({"rows_received": 0, "absent_fields": []}, "absent_fields", ["b", "c"]),
        ({"passes": 3}, "passes", 1),
    ],
)
def test_what_cannot_be_added_up_is_told_so_that_nothing_is_hidden(
    first: dict[str, Any], name: str, value: Any
) -> None:
    usual: dict[str, Any] = {"unknown_fields": {"age": "bigint"}, "absent_fields": ["b", "c"]}
    loads = [told("2", 7, **usual), {**told("1", 5, **usual), **first}]
    assert combined(loads)[name] == value
