"""Phrases of error messages, and the search for a cause."""

import pytest

from analytics_assets.config.errors import (
    ConfigurationError,
    did_you_mean,
    find_cause,
    listed,
    refuse_unknown_keys,
    without_name,
)


def test_the_closest_known_word_is_suggested() -> None:
    assert did_you_mean("schedul", ["schedule", "timezone"]) == "; did you mean `schedule`?"
    assert did_you_mean("xyz", ["schedule", "timezone"]) == "."


def test_an_unknown_key_is_refused_with_all_known_ones() -> None:
    refuse_unknown_keys("policy", {"b": 1}, ["b", "a"])
    with pytest.raises(ConfigurationError, match=r"policy: unknown key 'c'\. .* are `a`, `b`\."):
        refuse_unknown_keys("policy", {"b": 1, "c": 2}, ["b", "a"])


def test_no_names_are_listed_as_none() -> None:
    assert listed([]) == "none"


def test_the_name_of_the_resource_is_left_out() -> None:
    assert without_name(ValueError("orders: no rows"), "orders") == "no rows"
    assert without_name(ValueError("users: no rows"), "orders") == "users: no rows"


def test_a_cause_is_found_down_the_chain_even_if_it_is_circular() -> None:
    root, middle, top = KeyError("root"), ValueError("middle"), RuntimeError("top")
    top.__cause__, middle.__context__ = middle, root
    assert find_cause(top, KeyError) is root
    assert find_cause(top, RuntimeError) is top
    root.__context__ = top
    assert find_cause(top, OSError) is None
