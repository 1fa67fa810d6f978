"""Materializations of an asset: newest first, and their metadata as plain values."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.metadata.names import (
    DETAILS,
    LOAD_ID,
    NEWEST_CHANGE,
    REQUESTS,
    ROW_COUNT,
    ROWS_LOADED,
)
from analytics_assets.orchestration.runs.materializations import (
    FIRST_PAGE,
    GROWTH,
    newest_first,
    plain_metadata,
)

ORDERS = dg.AssetKey(["shop", "orders"])


def test_the_newest_is_found_in_a_small_page_and_all_others_in_larger_ones(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = FIRST_PAGE + GROWTH * FIRST_PAGE + 3
    for number in range(count):
        instance.report_runless_asset_event(
            dg.AssetMaterialization(ORDERS, metadata={"number": number})
        )
    fetch, limits = instance.fetch_materializations, list[int]()

    def counted(asset: dg.AssetKey, limit: int, cursor: str | None) -> Any:
        limits.append(limit)
        return fetch(asset, limit=limit, cursor=cursor)

    monkeypatch.setattr(instance, "fetch_materializations", counted)
    found = (event.metadata["number"].value for _, event in newest_first(instance, ORDERS))

    assert next(found) == count - 1
    assert limits == [FIRST_PAGE]
    assert list(found) == list(range(count - 2, -1, -1))
    assert limits == [FIRST_PAGE, GROWTH * FIRST_PAGE, GROWTH**2 * FIRST_PAGE]


def test_details_are_read_like_all_other_metadata() -> None:
    details = dg.MetadataValue.json({REQUESTS: 3, LOAD_ID: "1.5"})
    event = dg.AssetMaterialization(ORDERS, metadata={ROWS_LOADED: 2, DETAILS: details})

    assert plain_metadata(event) == {ROWS_LOADED: 2, REQUESTS: 3, LOAD_ID: "1.5"}


def test_the_history_of_an_earlier_version_has_the_names_of_today() -> None:
    newest = "2026-01-01"
    earlier: dict[str, Any] = {"rows_loaded": 2, "load_id": "1.5", "newest_updated_at": newest}
    event = dg.AssetMaterialization(ORDERS, metadata={**earlier, ROW_COUNT: 9})

    assert plain_metadata(event) == {
        ROWS_LOADED: 2,
        LOAD_ID: "1.5",
        NEWEST_CHANGE: newest,
        ROW_COUNT: 9,
    }
