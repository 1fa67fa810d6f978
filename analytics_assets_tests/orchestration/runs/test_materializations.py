"""Materializations of an asset, newest first."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.runs.materializations import FIRST_PAGE, newest_first

ORDERS = dg.AssetKey(["shop", "orders"])


def test_the_newest_is_found_in_a_small_page_and_all_others_after_it(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = FIRST_PAGE + 3
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
