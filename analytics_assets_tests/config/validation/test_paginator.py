"""Options of a `paginator` that dlt does not know: refused, or left out for it."""

from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.validation.paginator import config_for_dlt, wrong_option
from analytics_assets.config.validation.values import refuse_wrong_values

OWN = {"total_path": "a.n", "has_more_path": "b", "last_page_path": "c", "ignored_fields": ["d"]}


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"ignored_fields": "count"}, r'give a list of fields, such as \["count"\]'),
        ({"ignored_fields": [1]}, "give a list of fields"),
        ({"last_page_path": True}, "`last_page_path` in `paginator` is True; give the path"),
        ({"total_path": 5}, "`total_path` in `paginator` is 5; give the path of a field"),
    ],
)
def test_options_of_another_kind_are_refused_with_their_place(
    wrong: dict[str, Any], remedy: str
) -> None:
    paginator = {"type": "json_link", "next_url_path": "next", **wrong}
    entry = {"name": "orders", "endpoint": {"paginator": paginator}}

    with pytest.raises(ConfigurationError, match=f"^resource `orders`: .*{remedy}"):
        refuse_wrong_values({"client": {}, "resources": [entry]})


def test_a_paginator_without_a_type_has_this_projects_options_alone() -> None:
    assert wrong_option({"ignored_fields": ["count"]}) is None
    assert "'auto' has no option 'limit'" in str(wrong_option({"limit": 100}))


def test_dlt_gets_no_option_that_its_paginator_does_not_have() -> None:
    link = {"type": "json_link", "next_url_path": "next", **OWN}
    config = {
        "client": {"base_url": "http://api", "paginator": link},
        "resource_defaults": {"endpoint": {"paginator": {"type": "page_number", **OWN}}},
        "resources": ["a", {"name": "b", "endpoint": {"paginator": link, "path": "b"}}],
    }

    found = config_for_dlt(config)

    bare = {"type": "json_link", "next_url_path": "next"}
    by_number = {"type": "page_number", "total_path": "a.n", "has_more_path": "b"}
    assert found["client"] == {"base_url": "http://api", "paginator": bare}
    assert found["resource_defaults"] == {"endpoint": {"paginator": by_number}}
    assert found["resources"] == ["a", {"name": "b", "endpoint": {"paginator": bare, "path": "b"}}]
