"""Behaviour of dlt 1.31 on which configurations rely."""

from analytics_assets.config.validation import compat


def test_config_setup_paginator_map_has_the_documented_types() -> None:
    documented = {"json_link", "header_link", "header_cursor", "auto", "single_page", "cursor"}

    assert set(compat.paginator_types()) == {
        *documented,
        "offset",
        "page_number",
        "json_response",  # deprecated
    }


def test_paginator_map_has_classes_whose_options_are_those_of_a_dictionary() -> None:
    assert {"limit", "total_path", "has_more_path"} <= set(compat.paginator_options("offset"))
    assert set(compat.paginator_options("json_link")) == {"next_url_path"}
    for kind in ("auto", "unknown"):
        assert not compat.paginator_options(kind)
