from pathlib import Path
from typing import Any

import dlt
import pytest

from analytics_assets.config.errors import find_cause
from analytics_assets.extract.http.errors import ResponseError
from analytics_assets.extract.paging import spool
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Read,
    attempted,
    drain,
    failed,
    in_turn,
    orders,
    page,
    paged,
    read,
    row,
    rows,
    serving,
    source_of,
)

MERGED = {"write_disposition": "merge"}
OFFSET = {"type": "offset", "limit": 2}
IGNORE_404 = [{"status_code": 404, "action": "ignore"}]
RESTATED = (
    Answer({"data": rows(1, 2), "total": 4}),
    Answer({"data": [row(2, new=1), row(3)], "total": 4}),
    page(total=4),
)


def test_pages_of_a_pass_that_did_not_add_up_are_not_handed_on() -> None:
    void = page(1, 2, total=4), page(3, 4, total=5)
    attempt = read(in_turn(*void, page(11, 12, total=3), page(13, total=3)))

    assert attempt.rows == rows(11, 12, 13)


def test_no_row_is_handed_on_before_the_last_has_arrived() -> None:
    with serving(paged(rows(*range(9)))) as server:
        found = iter(source_of(server, orders()).resources["orders"])
        assert server.requests == []
        assert next(found) == row(0)
        assert len(server.requests) == 5
        assert list(found) == rows(*range(1, 9))


@pytest.mark.parametrize(
    "broken", [Answer({}, status=403), Answer({"data": None}), page(3, total=9)]
)
def test_no_row_of_a_read_that_fails_at_its_end_is_handed_on(broken: Answer) -> None:
    attempt = failed(in_turn(page(1, 2, total=5), page(3, 4, total=5), *[broken] * 9))

    assert attempt.rows == []


def test_rows_come_in_the_order_of_the_api() -> None:
    assert read(paged(rows(5, 3, 9, 1, 7))).numbers == [5, 3, 9, 1, 7]


def test_a_resource_can_be_read_again() -> None:
    with serving(paged(rows(1, 2, 3))) as server:
        resource = source_of(server, orders()).resources["orders"]

        assert list(resource) == list(resource) == rows(1, 2, 3)
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    "disposition", ["merge", {"disposition": "merge", "strategy": "upsert"}], ids=str
)
def test_where_a_table_has_one_row_per_key_the_last_that_arrived_wins(disposition: Any) -> None:
    entry = {"write_disposition": disposition}

    assert read(in_turn(*RESTATED * 2), entry).rows == [row(1), row(2, new=1), row(3)]
    one_page = Answer({"data": [row(1), row(2), row(1, new=1)], "total": 3})
    assert read(in_turn(one_page, page()), entry).rows == [row(2), row(1, new=1)]


@pytest.mark.parametrize(
    "entry",
    [
        {"write_disposition": "append"},
        {"write_disposition": "replace"},
        {},
        {**MERGED, "columns": {"text": {"dedup_sort": "desc"}}},
    ],
    ids=str,
)
def test_where_rows_are_not_merged_or_a_hint_says_which_wins_all_are_handed_on(
    entry: dict[str, Any],
) -> None:
    attempt = read(in_turn(*RESTATED * 2), entry)

    assert attempt.rows == [row(1), row(2), row(2, new=1), row(3)]


def test_the_last_row_wins_by_all_parts_of_the_key() -> None:
    found = [row(1, day=1), row(1, day=2), row(1, day=1, new=1), {"text": "no day"}]
    entry = {**MERGED, "primary_key": ["id", "day"]}

    attempt = read(in_turn(Answer({"data": found, "total": 4}), page()), entry)

    assert attempt.rows[:2] == [row(1, day=2), row(1, day=1, new=1)]


@pytest.fixture
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("nowhere").touch()
    monkeypatch.setenv("PIPELINES_DIR", str(Path("nowhere").absolute()))


def test_a_read_that_is_too_big_for_the_memory_is_spooled_to_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool, "MAX_IN_MEMORY", 100)
    void = page(*range(50), total=60), page(51, total=61)
    answers = in_turn(*void, page(1, 2, total=3), page(3, total=3))

    assert read(answers, MERGED).rows == rows(1, 2, 3)
    assert read(paged(rows(*range(99)))).rows == rows(*range(99))


@pytest.mark.usefixtures("no_files")
def test_the_file_is_there_for_big_reads_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(paged(rows(1, 2, 3))).numbers == [1, 2, 3]

    monkeypatch.setattr(spool, "MAX_IN_MEMORY", 100)
    with pytest.raises(Exception, match="nowhere") as failure:
        attempted(paged(rows(1, 2, 3)))
    assert find_cause(failure.value, FileExistsError)


def test_a_sample_is_handed_on_page_by_page_and_asks_for_no_more() -> None:
    for pages in (1, 2):
        with serving(paged(rows(*range(9)))) as server:
            resource = source_of(server, orders()).resources["orders"].add_limit(pages)

            assert list(resource) == rows(*range(2 * pages))
            assert len(server.requests) == pages


def test_a_sample_fails_and_does_not_begin_again() -> None:
    with serving(in_turn(page(1, 2, total=4), page(3, total=5), page(total=5))) as server:
        attempt = drain(source_of(server, orders()).resources["orders"].add_limit(9))

    assert "orders: no complete read in 1 pass: its total changed" in attempt.error
    assert len(server.requests) == 2


def parallel(answers: Answers) -> Read:
    with serving(answers) as server:
        attempt = drain(source_of(server, orders()).parallelize())
    attempt.requests = server.requests
    return attempt


def test_a_parallelized_source_yields_all_rows() -> None:
    assert parallel(paged(rows(*range(9)))).rows == rows(*range(9))


@pytest.mark.parametrize("second", [page(3, total=4), page(2, 3, total=4), page(3, 4, 5, total=5)])
def test_a_parallelized_source_is_read_again(second: Answer) -> None:
    void = page(1, 2, total=4), second, *[page(total=second.body["total"])] * 2
    attempt = parallel(in_turn(*void, page(1, 2, total=3), page(3, total=3)))

    assert attempt.rows == rows(1, 2, 3)


def test_a_parallelized_source_fails_as_others_do() -> None:
    attempt = parallel(in_turn(page(1, 2, total=4), page(1, 2, total=4)))

    assert attempt.error.startswith("orders: the page at offset 2 has the rows of the page before")
    assert attempt.rows == []


def test_an_ignored_404_does_not_cut_a_read_short() -> None:
    cut = in_turn(page(1, 2, total=3), Answer({}, status=404))

    assert "Expected 3 rows, received 2" in failed(cut, response_actions=IGNORE_404).error
    assert read(in_turn(Answer({}, status=404)), response_actions=IGNORE_404).rows == []


def metrics_of(answers: Answers, **endpoint: Any) -> dict[str, Any]:
    """The metrics of `orders` after an extraction."""
    with serving(answers) as server:
        pipeline = dlt.pipeline("test", destination="duckdb", pipelines_dir=".")
        extracted = pipeline.extract(source_of(server, orders(MERGED, **endpoint)))
    packages = [each["resource_metrics"] for found in extracted.metrics.values() for each in found]
    (metrics,) = [each["orders"].custom_metrics for each in packages if "orders" in each]
    return dict(metrics)


def test_a_read_counts_its_passes_and_rows() -> None:
    metrics = metrics_of(in_turn(page(1, 2, total=4), page(3, total=5), *RESTATED * 2))

    assert metrics["passes"] == 3
    assert (metrics["rows_expected"], metrics["rows_received"]) == (4, 4)
    assert (metrics["rows_repeated"], metrics["reads"]) == (1, 1)
    assert (metrics["reads_limited"], metrics["reads_without_total"]) == (0, 0)


def test_a_read_counts_that_no_total_came_or_that_it_was_limited() -> None:
    assert metrics_of(paged(rows(1), with_total=False))["reads_without_total"] == 1
    limited = metrics_of(paged(rows(1, 2, 3)), paginator={**OFFSET, "maximum_offset": 2})
    assert (limited["reads_limited"], limited["rows_received"]) == (1, 2)


def test_an_error_before_the_total_is_reached_fails_the_read() -> None:
    with (
        pytest.raises(Exception, match="orders") as failure,
        serving(in_turn(page(1, 2, total=4), Answer({}, status=404))) as server,
    ):
        list(source_of(server, orders()).resources["orders"])

    assert find_cause(failure.value, ResponseError)


def test_a_pass_that_an_ignored_status_ends_does_not_stand_for_a_void_one() -> None:
    void = page(1, 2, total=4), page(3, 4, total=5)

    assert failed(in_turn(*void, Answer({}, status=404)), response_actions=IGNORE_404).error


@pytest.fixture
def confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING__CONFIRM", "true")


@pytest.mark.usefixtures("confirming")
def test_a_sample_of_a_read_to_be_confirmed_is_one_page() -> None:
    with serving(paged(rows(1))) as server:
        sample = drain(source_of(server, orders()).resources["orders"].add_limit(1))

    assert (sample.error, sample.numbers, len(server.requests)) == ("", [1], 1)
