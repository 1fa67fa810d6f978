"""Answers that state their quality are counted over all pages of the pass that is loaded."""

from typing import Any

import pytest

from analytics_assets_tests.extract.rows.reading import MERGED, extract, metrics_of
from analytics_assets_tests.support.paged_server import Answer, in_turn, orders, page, rows

QUALITY = {
    "sampled": "meta.samples",
    "thresholded": "$.meta.thresholded",
    "truncated": "cut[*].rows",
    "other_rows": {"column": "text", "value": "row 3"},
}


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Request one page at a time: answers in turn would come to the wrong requests."""
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")


def counted(*answers: Answer, quality: Any = QUALITY, **endpoint: Any) -> dict[str, Any]:
    """The counts of answers of a read, by kind."""
    entry = orders({**MERGED, "answer_quality": quality}, **endpoint)
    found = metrics_of(extract(in_turn(*answers), entry))
    return {name: count for name, count in found.items() if name.startswith("answers")}


@pytest.mark.parametrize("step", [[], [{"filter": lambda _: True}]])  # columns, or rows
def test_answers_of_each_kind_are_counted_over_all_pages(step: list[Any]) -> None:
    entry = orders({**MERGED, "answer_quality": QUALITY, "processing_steps": step})
    pages = (
        page(1, 2, total=5, meta={"samples": [], "thresholded": False}),
        page(3, 4, total=5, meta={"samples": [{"read": "9"}]}, cut=[{"rows": 0}, {"rows": 7}]),
        page(5, total=5, meta={"samples": [], "thresholded": True}, cut=[{"rows": "false"}]),
    )
    found = metrics_of(extract(in_turn(*pages), entry))

    assert {name: count for name, count in found.items() if name.startswith("answers")} == {
        "answers": 3,
        "answers_sampled": 1,
        "answers_thresholded": 1,
        "answers_truncated": 1,
        "answers_other_rows": 1,
    }
    assert found["rows_received"] == 5


def test_an_answer_without_rows_counts_as_its_rows_may_be_those_left_out() -> None:
    empty = page(total=0, meta={"thresholded": True})
    found = counted(empty, quality={"thresholded": "meta.thresholded"})
    assert found == {"answers": 1, "answers_thresholded": 1}


def test_only_the_pass_that_is_loaded_counts() -> None:
    sampled = {"meta": {"samples": 1}}
    void = page(1, 2, total=4, **sampled), page(3, 4, total=5, **sampled)
    whole = page(1, 2, total=3), page(3, total=3), page(total=3, **sampled)

    found = counted(*void, *whole, quality={"sampled": "meta.samples"})
    assert found == {"answers": 2, "answers_sampled": 0}


@pytest.mark.parametrize("selector", ["data", "$.data"])
def test_a_place_within_the_rows_is_read_in_them(selector: str) -> None:
    answer = Answer({"data": [{"id": 1}, {"id": 2, "cut": True}]})
    quality = {"truncated": "data[*].cut"}

    found = counted(answer, quality=quality, data_selector=selector, paginator="single_page")
    assert found["answers_truncated"] == 1
    whole = counted(page(1), quality=quality, data_selector=selector, paginator="single_page")
    assert whole["answers_truncated"] == 0


def test_a_body_that_is_the_list_of_its_rows_may_have_other_rows() -> None:
    quality = {"other_rows": {"column": "id", "value": 2}, "sampled": "[0].none"}
    single: dict[str, Any] = {"data_selector": "$", "paginator": "single_page"}

    found = counted(Answer(rows(1, 2)), quality=quality, **single)
    assert (found["answers_other_rows"], found["answers_sampled"]) == (1, 0)
    assert counted(Answer(rows(1)), quality=quality, **single)["answers_other_rows"] == 0


def test_an_entry_that_names_no_place_counts_nothing() -> None:
    assert counted(page(1), quality=None, paginator="single_page") == {}
