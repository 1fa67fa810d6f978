"""Fields that a `paginator` names, and configurations without those that dlt does not know."""

from typing import Any

import pytest
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    JSONLinkPaginator,
    OffsetPaginator,
    PageNumberPaginator,
)

from analytics_assets.config.validation.paginator import without_own_options
from analytics_assets.extract.compat import configured_paginator
from analytics_assets.extract.paging.evidence.end_paths import EndPaths

OWN = {"total_path": "a.n", "has_more_path": "b", "last_page_path": "c", "ignored_fields": ["d"]}
KINDS: list[dict[str, Any]] = [
    {"type": "offset", "limit": 2},
    {"type": "page_number"},
    {"type": "json_link"},
    {"type": "header_link"},
    {"type": "header_cursor"},
    {"type": "cursor"},
    {"type": "single_page"},
    {"type": "auto"},
    {},
]


def paths_of(given: Any) -> EndPaths:
    return EndPaths.of(given, configured_paginator(without_own_options(given), "/orders"))


def texts(paths: EndPaths) -> list[str]:
    return [str(path) for path in (paths.total_path, paths.has_more_path, paths.last_page_path)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_paginator_of_any_type_names_fields(kind: dict[str, Any]) -> None:
    paths = paths_of({**kind, **OWN})

    assert texts(paths) == ["a.n", "b", "c"]
    assert paths.ignores("d")
    assert not paths.ignores("a", "b")


@pytest.mark.parametrize(
    ("given", "total"),
    [
        ({"type": "offset", "limit": 2}, "None"),  # dlt's `total` is a guess
        ({"type": "offset", "limit": 2, "total_path": None}, "None"),
        (OffsetPaginator(2, total_path="n"), "n"),
        ("page_number", "total"),
        (PageNumberPaginator(total_path=None), "None"),
        (JSONLinkPaginator(), "None"),
        ("auto", "None"),
        (None, "None"),
    ],
)
def test_a_total_is_named_by_the_entry_or_by_dlt_for_page_numbers(given: Any, total: str) -> None:
    assert texts(paths_of(given))[0] == total


def test_an_object_names_fields_by_attributes() -> None:
    class Own(BasePaginator):
        last_page_path = "end"
        ignored_fields = ("count",)

        def update_state(self, *_: Any) -> None: ...

        def update_request(self, *_: Any) -> None: ...

    paths = paths_of(Own())

    assert texts(paths)[2] == "end"
    assert paths.ignores("count")
