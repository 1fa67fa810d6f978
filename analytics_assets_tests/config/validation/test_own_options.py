"""Fields that a `paginator` names, and configurations without those that dlt does not know."""

from typing import Any

import pytest
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    JSONLinkPaginator,
    OffsetPaginator,
    PageNumberPaginator,
)

from analytics_assets.config.validation.paginator import own_options, without_own_options
from analytics_assets.extract.compat import configured_paginator

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


def named_by(given: Any) -> list[str]:
    named = own_options(given, configured_paginator(without_own_options(given), "/orders"))
    return [str(named[name]) for name in OWN]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_paginator_of_any_type_names_fields(kind: dict[str, Any]) -> None:
    assert named_by({**kind, **OWN}) == ["a.n", "b", "c", "['d']"]


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
    assert named_by(given)[0] == total


def test_an_object_names_fields_by_attributes() -> None:
    class Own(BasePaginator):
        last_page_path = "end"
        ignored_fields = ("count",)

        def update_state(self, *_: Any) -> None: ...

        def update_request(self, *_: Any) -> None: ...

    assert named_by(Own())[2:] == ["end", "('count',)"]
