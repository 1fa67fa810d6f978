from typing import Any

import pytest

from analytics_assets.extract.rows.answer import Answer
from analytics_assets.extract.rows.page_decoder import SplitPage
from analytics_assets_tests.extract.paging.proof.passes import (
    PAGE,
    Passes,
    answer,
    proof_of,
    rows,
)

NOT_COMPARED: list[Any] = [
    {"text": "no key"},
    {"id": None},
    {"id": [1]},
    {"id": {"of": 1}},
    "no object",
    None,
    7,
    [],
    ["id"],
]


@pytest.mark.parametrize("odd", NOT_COMPARED, ids=repr)
def test_rows_without_a_key_that_can_be_compared_count_but_are_not_compared(odd: Any) -> None:
    pages = ([odd, *rows(1)], 4), ([odd, *rows(2)], 4)
    proof = proof_of(*pages)

    assert proof.ends()
    assert (proof.received, proof.duplicates.rows) == (4, 0)


@pytest.mark.parametrize("odd", NOT_COMPARED, ids=repr)
def test_a_page_of_such_rows_is_recognized(odd: Any) -> None:
    proof = proof_of(([odd, odd], 4))

    assert proof.repeats(answer([odd, odd]))
    assert not proof.repeats(answer([odd]))


@pytest.mark.parametrize("odd", NOT_COMPARED, ids=repr)
def test_pages_with_such_rows_that_come_again_in_a_circle_end_the_pass(odd: Any) -> None:
    proof = proof_of(([odd], None), ([odd, *rows(1)], None), ([odd], None), passes=1)

    assert proof.inconsistency


@pytest.mark.parametrize("missing", ['{"id": null, "n": 1}', '{"n": 1}', '{"id": {}, "n": 1}', "2"])
def test_rows_without_a_part_of_their_key_count_in_columns_too(missing: str) -> None:
    key = ("id", "n")
    proof = Passes("orders", key, passes=1)
    split = SplitPage(f'[{{"id": 1, "n": 1}}, {missing}, {missing}]'.encode(), key=key)

    proof.add(Answer(PAGE, split=split), 3)

    assert proof.ends()
    assert proof.received == 3
