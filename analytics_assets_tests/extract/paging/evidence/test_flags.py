"""Flags for further pages and for the last one, found by their names or named."""

from typing import Any

import pytest
from dlt.common import jsonpath

from analytics_assets.extract.paging.evidence.fields import fields_of
from analytics_assets.extract.paging.evidence.flags import as_flag, flag_in, named_flag


def flag_of(name: str, value: Any) -> bool | None:
    found = flag_in(fields_of({"meta": {name: value}}, ["meta"]))
    assert found is None or found[0] == f"meta.{name}"
    return found and found[1]


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("has_more", True, True),
        ("hasMore", "true", True),
        ("has_next_page", 1, True),
        ("IsTruncated", "false", False),
        ("more_results", 0, False),
        ("has_more", "N", False),
        ("has_more", "Y", True),
        ("more_items_in_collection", False, False),  # of Pipedrive
        ("more_records", True, True),  # of Zoho
        ("end_of_stream", True, False),
        ("end_of_stream", False, True),
        ("is_last", True, False),
        ("last", False, True),
        ("done", True, False),
        ("last", "/orders?page=9", None),  # a link
        ("last", 9, None),
        ("last_page", 9, None),
        ("has_more", None, None),
        ("has_more", {}, None),
        ("first", True, None),
    ],
)
def test_a_flag_reports_further_pages_or_the_last_one(
    name: str, value: Any, more: bool | None
) -> None:
    assert flag_of(name, value) is more


def test_of_flags_that_differ_one_for_further_pages_counts() -> None:
    fields = list(fields_of({"is_last": True, "has_more": True}, []))

    assert flag_in(fields) == ("has_more", True)
    assert flag_in(fields[::-1]) == ("has_more", True)


@pytest.mark.parametrize(
    ("has_more", "last_page", "body", "expected"),
    [
        ("more", None, {"more": True}, True),
        ("more", None, {"more": "no"}, False),
        ("more", None, {"more": None}, None),
        ("more", None, {}, None),
        ("more", None, {"more": ["x"]}, None),
        (None, "page.end", {"page": {"end": True}}, False),
        (None, "page.end", {"page": {"end": "false"}}, True),
        ("more", "end", {"end": True}, False),
        (None, None, {"has_more": True}, None),
    ],
)
def test_a_named_flag_may_be_inverted(
    has_more: str | None, last_page: str | None, body: Any, expected: bool | None
) -> None:
    paths = [path and jsonpath.compile_path(path) for path in (has_more, last_page)]

    assert named_flag(paths[0], paths[1], body) is expected


@pytest.mark.parametrize("value", [False, "false", "False", 0, "no", ""])
def test_a_flag_may_be_a_number_or_a_text(value: Any) -> None:
    assert as_flag(value) is False
