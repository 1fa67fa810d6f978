"""Partitions that are chosen by the first and the last one, whether or not they are due."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.partitions.chosen import PartitionRangeError, chosen_runs

NOW = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)  # a Tuesday; in Chicago it is Monday still
CHICAGO = "America/Chicago"
MONDAY = date(2026, 1, 5)


def by(kind: Any, start: date = date(2026, 1, 1), **parts: Any) -> Partitioned:
    return Partitioned(by=kind, start=start, **parts)


def chosen(first: str, last: str | None, **loads: Partitioned) -> list[tuple[str, str, str]]:
    """Return the runs of a range: resources, first and last partition."""
    entry = {"primary_key": "id", "write_disposition": "merge"}
    config = {
        "client": {"base_url": "https://api.example.com"},
        "resources": [{"name": name, **entry} for name in loads],
    }
    api = Api(name="shop", config=config, policies={n: {"load": how} for n, how in loads.items()})
    return [
        (" ".join(each.name for each in run.resources), run.partitions[0], run.partitions[-1])
        for run in chosen_runs(api.resources.values(), first, last, NOW)
    ]


@pytest.mark.parametrize(
    ("load", "first", "last", "keys"),
    [
        (by("day"), "2026-01-30", "2026-02-02", ("2026-01-30", "2026-02-02")),
        (by("day"), "2026-01-30", "2026-01-30", ("2026-01-30", "2026-01-30")),
        (by("day"), "2026-01-01", None, ("2026-01-01", "2026-03-09")),
        (by("day"), "2026-01", "2026-02", ("2026-01-01", "2026-02-28")),
        (by("day"), "week-2026-01-26", "2026-02-02", ("2026-01-26", "2026-02-02")),
        (by("month"), "2026-01", "2026-02", ("2026-01", "2026-02")),
        (by("month"), "2026-01-15", "2026-02-01", ("2026-01", "2026-02")),
        (by("week", MONDAY), "week-2026-01-12", None, ("week-2026-01-12", "week-2026-03-02")),
        (by("week", MONDAY), "2026-01-18", "2026-01-19", ("week-2026-01-12", "week-2026-01-19")),
        (
            by("day", include_unfinished=True),
            "2026-03-10",
            "2026-03-10",
            ("2026-03-10", "2026-03-10"),
        ),
    ],
)
def test_a_range_has_each_partition_with_one_of_its_days(
    load: Partitioned, first: str, last: str | None, keys: tuple[str, str]
) -> None:
    assert chosen(first, last, a=load) == [("a", *keys)]


def test_resources_share_a_run_and_no_run_is_longer_than_the_longest_window() -> None:
    few = by("day", longest_window=2)
    assert chosen("2026-01-01", "2026-01-03", a=by("day"), b=by("day"), c=few) == [
        ("c", "2026-01-01", "2026-01-02"),
        ("a b", "2026-01-01", "2026-01-03"),
        ("c", "2026-01-03", "2026-01-03"),
    ]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2026-02-02", "2026-02-01", "The range is reversed: 2026-02-01 is before 2026-02-02."),
        ("2026-02", "2026-01-31", "The range is reversed: 2026-01-31 is before 2026-02."),
        ("2025-12-31", "2026-01-31", "shop/a has no partition before its first one, 2026-01-01."),
        (
            "2026-03-01",
            "2026-03-10",
            "shop/a has no partition after 2026-03-09 yet: a day is loaded once it is over in UTC.",
        ),
        ("2026-03-10", None, "shop/a has no partition after 2026-03-09 yet: a day is loaded"),
        ("2026-03", "2026-03", "shop/a has no partition after 2026-03-09 yet: a day is loaded"),
        ("yesterday", None, "`yesterday` is neither a day nor a partition: give a day such as"),
        ("2026-2-1", None, "`2026-2-1` is neither a day nor a partition"),
        ("2026-02-30", None, "`2026-02-30` is neither a day nor a partition"),
        ("week-2026-01-27", None, "`week-2026-01-27` is neither a day nor a partition"),
        ("week-9999-12-27", None, "`week-9999-12-27` is neither a day nor a partition"),
        ("2026-01-01", "9999-12", "shop/a has no partition after 2026-03-09 yet"),
    ],
)
def test_a_range_that_is_not_all_there_is_refused(
    first: str, last: str | None, message: str
) -> None:
    with pytest.raises(PartitionRangeError) as error:
        chosen(first, last, a=by("day"))
    assert str(error.value).startswith(message)


def test_each_resource_that_lacks_a_part_of_the_range_is_named() -> None:
    late, none = by("day", date(2026, 2, 1)), by("day", date(2027, 1, 1))
    with pytest.raises(PartitionRangeError) as error:
        chosen("2026-01-15", "2026-02-15", a=by("day"), b=late, c=none)
    assert str(error.value) == (
        "shop/b has no partition before its first one, 2026-02-01. shop/c has no partition yet. "
        "Nothing was loaded."
    )


def test_a_day_is_over_in_the_time_zone_of_the_partitions() -> None:
    load = by("day", timezone=CHICAGO, window=Window(timezone=CHICAGO))
    assert chosen("2026-03-08", "2026-03-08", a=load) == [("a", "2026-03-08", "2026-03-08")]
    with pytest.raises(PartitionRangeError, match=r"after 2026-03-08 yet: .* America/Chicago\."):
        chosen("2026-03-08", "2026-03-09", a=load)


def test_a_month_that_has_begun_may_be_loaded_where_unfinished_ones_are_partitions() -> None:
    load = by("month", include_unfinished=True)
    assert chosen("2026-03", "2026-03-31", a=load) == [("a", "2026-03", "2026-03")]
    with pytest.raises(PartitionRangeError, match="a month is loaded once it has begun in UTC"):
        chosen("2026-03", "2026-04", a=load)
