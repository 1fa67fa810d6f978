from collections.abc import Callable
from typing import Any

import pytest

from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    PagedServer,
    Read,
    Request,
    drain,
    in_turn,
    orders,
    page,
    paged,
    rows,
    serving,
    source_of,
)

IGNORE_404 = [{"status_code": 404, "action": "ignore"}]
LINES = {
    "name": "lines",
    "primary_key": "id",
    "endpoint": {
        "path": "orders/{order}/lines",
        "params": {"order": {"type": "resolve", "resource": "orders", "field": "id"}},
        "data_selector": "data",
        "paginator": {"type": "offset", "limit": 2},
    },
}


def lines_with(**changes: Any) -> dict[str, Any]:
    endpoint: Any = LINES["endpoint"]
    return {**LINES, "endpoint": {**endpoint, **changes}}


def shop(**children: Answers) -> Answers:
    """An API with three orders of three lines each; `of_2` answers for the second's."""

    def answer(asked: Request) -> Answer:
        if asked.path == "/orders":
            return paged(rows(1, 2, 3))(asked)
        order = asked.path.split("/")[2]
        usual = paged([{"id": f"{order}-{line}"} for line in range(3)])
        return children.get(f"of_{order}", usual)(asked)

    return answer


def lines_of(answers: Answers, entry: dict[str, Any] = LINES, **options: Any) -> Read:
    with serving(answers) as server:
        return drained(server, entry, **options)


def drained(server: PagedServer, entry: dict[str, Any], parallelize: bool = False) -> Read:
    source = source_of(server, orders(paginator="single_page"), entry).with_resources("lines")
    attempt = drain(source.parallelize() if parallelize else source)
    attempt.requests = [asked for asked in server.requests if asked.path != "/orders"]
    return attempt


def lines(*orders: int) -> list[str]:
    return [f"{order}-{line}" for order in orders for line in range(3)]


Way = Callable[[Answers], Read]
IN_PARALLEL: list[Way] = [
    lambda answers: lines_of(answers, parallelize=True),
    lambda answers: lines_of(answers, {**LINES, "parallelized": True}),
]


def lines_ignoring(answers: Answers) -> Read:
    return lines_of(answers, lines_with(response_actions=IGNORE_404))


def lines_ignoring_at_once(answers: Answers) -> Read:
    return lines_of(answers, {**lines_with(response_actions=IGNORE_404), "parallelized": True})


def lines_ignoring_all_at_once(answers: Answers) -> Read:
    return lines_of(answers, lines_with(response_actions=IGNORE_404), parallelize=True)


def test_the_rows_of_all_parents_are_read() -> None:
    attempt = lines_of(shop())
    by_path = lines_of(shop(), lines_with(path="orders/{resources.orders.id}/lines", params={}))

    assert attempt.numbers == by_path.numbers == lines(1, 2, 3)
    assert len(attempt.requests) == 6


@pytest.mark.parametrize("parallelize", [False, True])
def test_children_of_children_are_read_together_with_their_parents(parallelize: bool) -> None:
    def answer(asked: Request) -> Answer:
        *above, _ = asked.path.strip("/").split("/")
        return paged([{"id": "-".join([*above, str(number)])} for number in range(3)])(asked)

    lines = lines_with(path="{resources.orders.id}/lines", params={})
    parts = {**lines_with(path="{resources.lines.id}/parts", params={}), "name": "parts"}
    with serving(answer) as server:
        source = source_of(server, orders(), lines, parts)
        attempt = drain(source.parallelize() if parallelize else source)

    assert not attempt.error
    levels = [each.count("-") for each in attempt.numbers]
    assert [levels.count(level) for level in range(3)] == [3, 9, 27]
    assert len(set(attempt.numbers)) == 39


def test_the_rows_of_parents_on_several_pages_are_read() -> None:
    with serving(shop()) as server:
        found = list(source_of(server, orders(), LINES).with_resources("lines"))

    assert sorted(each["id"] for each in found) == lines(1, 2, 3)


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that are scripted in turn belong to requests in turn."""
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")


@pytest.mark.usefixtures("one_at_a_time")
def test_the_rows_of_each_parent_must_be_complete() -> None:
    # an empty page is asked for once more
    short = in_turn(*[page(1, 2, total=9), page(total=9), page(total=9)] * 3)

    attempt = lines_of(shop(of_2=short))

    assert "lines: no complete read in 3 passes" in attempt.error
    assert "Expected 9 rows, received 2" in attempt.error
    assert not {1, 2} & set(attempt.numbers)


def test_only_the_parent_whose_rows_did_not_add_up_is_read_again() -> None:
    def some(*numbers: int, total: int) -> Answer:
        return Answer({"data": [{"id": f"2-{number}"} for number in numbers], "total": total})

    changing = in_turn(
        some(1, 2, total=3), some(3, total=4), *[some(4, 5, total=3), some(6, total=3)]
    )

    attempt = lines_of(shop(of_2=changing))

    assert attempt.numbers == [*lines(1), "2-4", "2-5", "2-6", *lines(3)]
    assert [asked.path for asked in attempt.requests] == [
        f"/orders/{order}/lines" for order in (1, 1, 2, 2, 2, 2, 3, 3)
    ]


def test_rows_of_two_parents_may_have_one_key() -> None:
    same = paged([{"id": "1-0"}, {"id": "1-1"}])

    assert lines_of(shop(of_2=same)).numbers == [*lines(1), "1-0", "1-1", *lines(3)]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_an_ignored_404_of_one_parent_loses_no_row_of_another(order: int) -> None:
    none = {f"of_{order}": in_turn(Answer({}, status=404))}

    attempt = lines_of(shop(**none), lines_with(response_actions=IGNORE_404))

    assert attempt.numbers == lines(*{1, 2, 3} - {order})


def test_an_ignored_404_does_not_cut_the_rows_of_a_parent_short() -> None:
    cut = in_turn(page(1, 2, total=3), Answer({}, status=404))

    attempt = lines_of(shop(of_2=cut), lines_with(response_actions=IGNORE_404))

    assert "Expected 3 rows, received 2" in attempt.error
    assert not {1, 2} & set(attempt.numbers)


def test_a_404_that_is_not_ignored_fails_the_read_of_all_parents() -> None:
    attempt = lines_of(shop(of_2=in_turn(Answer({}, status=404))))

    assert "/orders/2/lines" in attempt.error
    assert "answered 404" in attempt.error


@pytest.mark.parametrize("way", IN_PARALLEL)
def test_rows_of_parents_that_are_read_at_once_are_all_there(way: Way) -> None:
    assert sorted(way(shop()).numbers) == lines(1, 2, 3)


@pytest.mark.usefixtures("one_at_a_time")
@pytest.mark.parametrize("way", IN_PARALLEL)
def test_a_parent_that_does_not_add_up_fails_where_they_are_read_at_once(way: Way) -> None:
    attempt = way(shop(of_2=in_turn(*[page(1, 2, total=9), page(total=9), page(total=9)] * 3)))

    assert "lines: no complete read in 3 passes" in attempt.error


@pytest.mark.parametrize(
    "way", [lines_ignoring, lines_ignoring_at_once, lines_ignoring_all_at_once]
)
@pytest.mark.parametrize("confirm", ["false", "true"])
def test_an_ignored_404_does_not_cut_a_parent_short_where_they_are_read_at_once_either(
    way: Way, confirm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__CONFIRM", confirm)
    cut = in_turn(page(1, 2, total=3), Answer({}, status=404))

    assert "Expected 3 rows, received 2" in way(shop(of_2=cut)).error


def test_children_see_each_row_of_their_parent_whatever_its_contract_says() -> None:
    with serving(shop()) as server:
        source = source_of(server, orders({"primary_key": "number"}), LINES)
        found = list(source.with_resources("lines"))

    assert sorted(each["id"] for each in found) == lines(1, 2, 3)


def test_fields_included_from_the_parent_are_in_the_rows() -> None:
    entry = {**LINES, "include_from_parent": ["text"]}

    attempt = lines_of(shop(), entry)

    assert [each["_orders_text"] for each in attempt.rows][::3] == ["row 1", "row 2", "row 3"]


def test_a_pass_that_an_ignored_status_ends_does_not_stand_for_a_void_one() -> None:
    void = page(1, 2, total=3), page(3, total=4), Answer({}, status=404)

    assert lines_of(shop(of_2=in_turn(*void)), lines_with(response_actions=IGNORE_404)).error


def test_a_row_on_two_pages_is_found_although_the_key_has_a_part_of_the_parent() -> None:
    entry = {**LINES, "primary_key": ["_orders_id", "id"], "include_from_parent": ["id"]}
    unstable = in_turn(*[page(1, 2, total=4), page(2, 3, total=4), page(total=4)] * 3)

    assert "1 row was on two pages" in lines_of(shop(of_2=unstable), entry).error
