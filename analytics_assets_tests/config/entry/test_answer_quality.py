"""The key `answer_quality`: accepted in an entry and in the defaults, refused with the remedy."""

from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.validation.entries import validate_entries

CLIENT = {"base_url": "https://api.example.com"}
RIGHT = {"sampled": "meta.sampled", "other_rows": {"column": "country", "value": "(other)"}}


def shop(quality: Any, **parts: Any) -> Api:
    entry = {"name": "orders", "primary_key": "id", "answer_quality": quality}
    config = {"client": CLIENT, "resources": [entry, {"name": "lines"}], **parts}
    return Api(name="shop", config=config)


def test_dlt_accepts_an_entry_with_places_of_its_own_or_of_the_defaults() -> None:
    api = shop(RIGHT, resource_defaults={"answer_quality": {"truncated": "more"}})

    validate_entries(api)
    assert api.resources["orders"].merged_entry["answer_quality"] == RIGHT
    assert api.resources["lines"].merged_entry["answer_quality"] == {"truncated": "more"}


@pytest.mark.parametrize(
    ("quality", "begin"),
    [
        ("sampled", "`answer_quality` of resource `orders` is a str; give a dictionary."),
        (
            {"sample": "meta.sampled"},
            "`answer_quality` of resource `orders`: unknown key 'sample'; did you mean `sampled`?",
        ),
        (
            {"sampled": True},
            "`answer_quality` of resource `orders`: `sampled` cannot be True: give the path of a "
            'field of the answer, such as "meta.sampled".',
        ),
        (
            {"other_rows": 7},
            "`answer_quality` of resource `orders`: `other_rows` cannot be 7: give the path of a "
            'field of the answer, such as "meta.other_rows", or {"column": ..., "value": ...} of',
        ),
        (
            {"other_rows": {"column": "country"}},
            "`other_rows` of `answer_quality` of resource `orders` has no `value`; add it.",
        ),
        (
            {"truncated": "meta[more"},
            "resource `orders`: `answer_quality`: `truncated` cannot be 'meta[more', which is no",
        ),
    ],
)
def test_a_wrong_place_is_refused_with_the_remedy(quality: Any, begin: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        shop(quality)
    assert str(refused.value).startswith(begin)
