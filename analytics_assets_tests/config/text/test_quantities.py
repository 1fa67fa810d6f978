"""Numbers, counts and durations in sentences."""

from datetime import timedelta

import pytest

from analytics_assets.config.text.quantities import count, duration, number, per_second


def test_numbers_have_separators_of_thousands() -> None:
    assert [number(value) for value in (0, 999, 1000, 12_345_678)] == [
        *("0", "999", "1,000", "12,345,678"),
    ]


def test_one_is_singular_and_all_others_are_plural() -> None:
    assert [count(value, "row") for value in (0, 1, 2, 1000)] == [
        *("0 rows", "1 row", "2 rows", "1,000 rows"),
    ]
    assert count(2, "retry", "retries") == "2 retries"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-7 * 3600, "0 s"),
        (0.004, "0 s"),
        (0.094, "0.09 s"),
        (0.0951, "0.1 s"),
        (4, "4 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3599.6, "1 h"),
        (3600 + 29, "1 h"),
        (3600 + 31, "1 h 1 min"),
        (86400 - 1, "1 day"),
        (86400 + 3600, "1 day 1 h"),
        (36 * 3600, "1 day 12 h"),
        (2 * 86400, "2 days"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
    assert duration(timedelta(seconds=seconds)) == text


def test_a_rate_needs_time_and_something_that_came_in_it() -> None:
    assert [per_second(10, 0), per_second(0, 1), per_second(4000, 0.5)] == ["-", "-", "8,000"]
