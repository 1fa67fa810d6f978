"""Selectors whose rows do not show where the next page is are refused."""

import pytest
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    JSONLinkPaginator,
    OffsetPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)

from analytics_assets.config.validation.selector import wrong_selector


@pytest.mark.parametrize(
    ("selector", "paginator", "expected"),
    [
        ("a[*].rows[*]", OffsetPaginator(2), "rows within rows"),
        ("a[*].rows[*]", PageNumberPaginator(), ""),
        ("a[?(@.x==1)]", OffsetPaginator(2), '"processing_steps": [{"filter": ...}]'),
        ("a[?(@.x==1)]", PageNumberPaginator(), '"processing_steps": [{"filter": ...}]'),
        ("a[?(@.x==1)]", None, '"processing_steps": [{"filter": ...}]'),
        ("a[?(@.x==1)]", JSONLinkPaginator(), ""),
        ("a[?(@.x==1)]", SinglePagePaginator(), ""),
        ("'what?'", OffsetPaginator(2), ""),
        ("a[*]", OffsetPaginator(2), ""),
        ("", None, ""),
    ],
)
def test_a_selector_fits_its_paginator(
    selector: str, paginator: BasePaginator | None, expected: str
) -> None:
    wrong = wrong_selector(selector, paginator)

    assert expected in (wrong or "")
    assert bool(wrong) is bool(expected)
