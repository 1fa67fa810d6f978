"""Metadata of materializations: in the order in which people ask, each number once."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.metadata.materialization import LoadOutcome, completeness
from analytics_assets.orchestration.metadata.names import (
    ABSENT_FIELDS,
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    COMPLETE,
    COMPLETENESS,
    DETAILS,
    DURATION,
    LOAD_ID,
    NEWEST_CHANGE,
    NEWEST_DATA,
    PARTITION_ROW_COUNT,
    PREVIEW,
    ROW_COUNT,
    ROWS_EXPECTED,
    ROWS_EXTRACTED,
    ROWS_LOADED,
    ROWS_MARKED_DELETED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    UNKNOWN,
    UNKNOWN_FIELDS,
    WINDOW,
)
from analytics_assets.orchestration.runs.materializations import plain_metadata

SCHEMA = dg.TableSchema([])
LOAD: dict[str, Any] = {
    LOAD_ID: "1795936798.8760154",
    ROWS_EXTRACTED: 1234,
    ROWS_LOADED: 1234,
    ROWS_RECEIVED: 1235,
    ROWS_REJECTED: 0,
    ROWS_EXPECTED: 1235,
    COMPLETE: True,
    UNKNOWN_FIELDS: {},
    ABSENT_FIELDS: [],
    NEWEST_DATA: "2026-01-02",
    ROW_COUNT: 5678,
    DURATION: 1.5,
    COLUMN_SCHEMA: SCHEMA,
}
PAGE = {"rows a day": dg.MetadataValue.md("chart"), PREVIEW: "rows"}
ROWS = [("2026-01-01", 1000, 1001), ("2026-01-02", 234, 234)]


def outcome(rows: Any = (), **load: Any) -> LoadOutcome:
    window = "2026-01-01 to 2026-01-02" if len(rows) > 1 else None
    return LoadOutcome({**LOAD, **load}, dg.TableColumnLineage({}), PAGE, rows, window)


def details(metadata: Any) -> Any:
    return metadata[DETAILS].value


def test_what_people_ask_for_comes_first_and_the_rest_is_one_entry() -> None:
    metadata = outcome().of_table()

    assert list(metadata) == [
        ROWS_LOADED,
        ROW_COUNT,
        NEWEST_DATA,
        DURATION,
        COMPLETENESS,
        "rows a day",
        PREVIEW,
        DETAILS,
        COLUMN_SCHEMA,
        COLUMN_LINEAGE,
    ]
    assert metadata[COMPLETENESS] == "1,235 of 1,235 rows"
    assert details(metadata) == {
        LOAD_ID: "1795936798.8760154",
        ROWS_RECEIVED: 1235,
        ROWS_REJECTED: 0,
        ROWS_EXPECTED: 1235,
        COMPLETE: True,
    }


def test_rejected_rows_have_an_entry_of_their_own() -> None:
    metadata = outcome(**{ROWS_REJECTED: 3}).of_table()

    assert metadata[ROWS_REJECTED] == 3
    assert ROWS_REJECTED not in details(metadata)


def test_a_partition_has_its_own_rows_and_the_last_one_what_is_true_of_the_table() -> None:
    first, last = outcome(ROWS).of_partitions().values()

    assert list(first) == [ROWS_LOADED, PARTITION_ROW_COUNT, WINDOW, DETAILS]
    assert (first[ROWS_LOADED], first[PARTITION_ROW_COUNT]) == (1000, 1001)
    assert details(first) == {LOAD_ID: "1795936798.8760154"}
    assert details(last)[ROWS_LOADED] == 1234
    assert (last[ROWS_LOADED], last[PARTITION_ROW_COUNT], last[ROW_COUNT]) == (234, 234, 5678)
    assert last.keys() == {*outcome().of_table(), PARTITION_ROW_COUNT, WINDOW}


def test_a_load_of_one_partition_has_no_number_twice() -> None:
    [only] = outcome([("2026-01-01", 1234, 1234)]).of_partitions().values()

    assert only[ROWS_LOADED] == 1234
    assert ROWS_LOADED not in details(only)
    assert WINDOW not in only


def test_each_partition_has_what_is_looked_up_by_partition() -> None:
    load = {ROWS_MARKED_DELETED: 2, NEWEST_CHANGE: "2026-01-02T03:04:05+00:00"}
    first, last = outcome(ROWS, **load).of_partitions().values()
    event = dg.AssetMaterialization("orders", partition="2026-01-01", metadata=first)

    assert plain_metadata(event) == {
        ROWS_LOADED: 1000,
        PARTITION_ROW_COUNT: 1001,
        WINDOW: "2026-01-01 to 2026-01-02",
        LOAD_ID: "1795936798.8760154",
        **load,
    }
    assert plain_metadata(dg.AssetMaterialization("orders", metadata=last)).items() >= load.items()


def test_the_load_of_a_window_is_read_as_a_whole() -> None:
    _, last = outcome(ROWS).of_partitions().values()
    event = dg.AssetMaterialization("orders", partition="2026-01-02", metadata=last)

    assert plain_metadata(event)[ROWS_LOADED] == 1234
    assert plain_metadata(event)[PARTITION_ROW_COUNT] == 234


@pytest.mark.parametrize(
    ("load", "text"),
    [
        ({ROWS_EXPECTED: UNKNOWN}, "read to the end, 1,235 rows; the API gives no total"),
        ({COMPLETE: False}, "1,235 rows; the entry's `paginator` ends the read before the last"),
        ({ROWS_EXPECTED: None}, "not verified"),
    ],
)
def test_completeness_is_a_sentence(load: dict[str, Any], text: str) -> None:
    assert completeness({**LOAD, **load}).startswith(text)
