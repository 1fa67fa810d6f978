"""The size of the concurrency, on a clock of the test itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from analytics_assets.extract.http.limits.concurrency import FEWEST, FIRST_SETTLED, Concurrency

Latency = Callable[[int], float]


class Pages:
    """Pages of a simulated API, as they arrive by a concurrency.

    Args:
        latency: seconds until an answer comes, by the number of requests at once.
        work: seconds that are worked on a page.
    """

    def __init__(
        self, latency: Latency, work: float, most: int = 16, adaptive: bool = True
    ) -> None:
        self.now, self.latency, self.work = 0.0, latency, work
        self.throttle_count = 0
        self.concurrency = Concurrency(
            most, adaptive, lambda: self.throttle_count, lambda: self.now
        )

    def sizes(self, pages: int) -> list[int]:
        """Return the size after each of some pages."""
        return [self._next() for _ in range(pages)]

    def settled(self, pages: int = 600) -> int:
        """Return the size at which most of the last half of some pages arrived."""
        sizes = self.sizes(pages)[pages // 2 :]
        return max(set(sizes), key=sizes.count)

    def _next(self) -> int:
        at_once = self.concurrency.size
        waited = self.latency(1)
        if at_once:
            waited = max(0.0, self.latency(at_once) / at_once - self.work)
        self.now += self.work + waited
        self.concurrency.record_page(waited)
        return self.concurrency.size


def steady(seconds: float) -> Latency:
    """An API that answers as fast to many requests at once as to one."""
    return lambda _at_once: seconds


def busy(seconds: float, most_per_second: float) -> Latency:
    """An API that does so many requests a second, and lets the others wait."""
    return lambda at_once: max(seconds, at_once / most_per_second)


def test_it_grows_to_the_maximum_while_the_api_is_slower_than_the_work() -> None:
    pages = Pages(steady(0.5), work=0.001)

    assert pages.concurrency.size == FEWEST
    assert max(pages.sizes(30)) == 16
    assert pages.settled() == 16


def test_many_are_requested_after_pages_that_take_long() -> None:
    assert Pages(steady(0.05), work=0.001).sizes(3) == [16, 16, 16]
    assert Pages(steady(0.5), work=0.001, most=32).sizes(3) == [16, 32, 32]
    assert Pages(steady(0.05), work=0.001, most=6).sizes(3) == [6, 6, 6]


def test_few_are_requested_after_pages_that_arrive_at_once() -> None:
    assert Pages(steady(0.005), work=0.001).sizes(3) == [FEWEST] * 3


def test_it_begins_as_without_many_once_the_api_asks_for_less() -> None:
    pages = Pages(steady(0.05), work=0.001)
    assert pages.sizes(1) == [16]
    pages.throttle_count += 1

    assert set(pages.sizes(30)) == {8}


def test_a_time_in_which_nobody_reads_is_not_measured() -> None:
    pages = Pages(steady(0.2), work=0.001)
    usual = pages.sizes(60)[-1]
    for _ in range(8):
        pages.now += 600  # between two reads
        assert set(pages.sizes(3 * 16 // 8)) == {usual}


def test_several_threads_can_use_it() -> None:
    concurrency = Concurrency(16)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4000):
            pool.submit(concurrency.record_page, 0.02)

    assert 0 <= concurrency.size <= 16


def test_it_grows_no_further_than_it_takes_to_have_the_next_page_in_time() -> None:
    assert Pages(steady(0.03), work=0.01).settled() in (3, 4)


def test_few_are_requested_where_the_api_answers_at_once() -> None:
    pages = Pages(steady(0.0001), work=0.01)

    assert pages.settled() == FEWEST
    assert max(pages.sizes(600)) <= 2 * FEWEST, "it looks again at times, with as few as can be"


def test_few_are_requested_of_an_api_that_does_one_request_after_the_other() -> None:
    pages = Pages(busy(0.01, most_per_second=100), work=0.0001)

    assert pages.settled() == FEWEST


def test_it_grows_no_further_than_the_api_keeps_up() -> None:
    assert Pages(busy(0.2, most_per_second=20), work=0.001).settled() == 4


def test_it_is_halved_at_once_when_the_api_asks_for_less() -> None:
    pages = Pages(steady(0.5), work=0.001)
    pages.sizes(50)

    for size in (8, 4, 2, 0, 0):
        pages.throttle_count += 1
        assert pages.sizes(1) == [size]


def test_it_stays_halved_for_a_while_before_the_next_trial() -> None:
    pages = Pages(steady(0.5), work=0.001)
    pages.sizes(50)

    pages.throttle_count += 1

    assert set(pages.sizes(FIRST_SETTLED)) == {8}
    assert pages.settled() == 16


def test_a_refusal_in_the_middle_of_a_trial_ends_it() -> None:
    pages = Pages(steady(0.5), work=0.001)
    while pages.sizes(1) != [8]:
        pass

    pages.throttle_count += 1

    assert set(pages.sizes(FIRST_SETTLED)) == {4}


def test_it_is_halved_when_answers_begin_to_take_longer_the_more_are_asked_for() -> None:
    pages = Pages(steady(0.2), work=0.001)
    assert pages.settled(2000) == 16

    pages.latency = busy(0.2, most_per_second=20)

    assert pages.sizes(3 * 16)[-1] in (4, 8)
    assert pages.settled(3000) <= 8


def test_it_is_not_halved_by_one_answer_that_takes_long() -> None:
    pages = Pages(steady(0.2), work=0.001)
    pages.sizes(50)
    usual, pages.latency = pages.latency, steady(20)
    pages.sizes(1)
    pages.latency = usual

    assert set(pages.sizes(3 * 16)) == {16}


def test_it_grows_again_when_the_api_has_recovered() -> None:
    pages = Pages(busy(0.2, most_per_second=10), work=0.001)
    assert pages.settled() <= 4

    pages.latency = steady(0.2)

    assert pages.settled(4000) == 16


@pytest.mark.parametrize("most", [2, 3, 5, 16])
def test_it_is_never_larger_than_the_maximum(most: int) -> None:
    sizes = Pages(steady(1.0), work=0.001, most=most).sizes(500)

    assert max(sizes) == most


@pytest.mark.parametrize("adaptive", [True, False])
def test_one_request_at_a_time_leaves_none_for_pages_ahead(adaptive: bool) -> None:
    pages = Pages(steady(1.0), work=0.001, most=1, adaptive=adaptive)

    assert set(pages.sizes(200)) == {0}


def test_it_does_not_change_unless_adaptive() -> None:
    pages = Pages(steady(0.0001), work=0.1, most=7, adaptive=False)

    assert pages.concurrency.size == 7
    pages.throttle_count += 1
    assert set(pages.sizes(200)) == {7}


def test_trials_of_other_sizes_become_rarer() -> None:
    sizes = Pages(steady(0.5), work=0.001).sizes(4000)
    trials = [place for place, size in enumerate(sizes) if size == 16 and sizes[place - 1] == 8]

    assert 3 <= len(trials) <= 8
