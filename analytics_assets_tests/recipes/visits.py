"""Visits of a small website, from which the servers of web analytics count their reports."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any

SOURCES = (
    ("google", "organic", "Organic Search"),
    ("(direct)", "(none)", "Direct"),
    ("newsletter", "email", "Email"),
)
COUNTRIES = (("DE", "Germany"), ("CW", "Curaçao"), ("US", "United States"))
# paths, what visitors do there, and the devices on which they do
PAGES = (
    ("/", "page_view", "desktop"),
    ("/pricing?plan=a&b=1", "purchase", "mobile"),
    ("/blog/größe", "scroll", "tablet"),
)
ATTRIBUTES = (
    *("day", "source", "medium", "channel", "country", "country_name"),
    *("page", "event", "device"),
)
MEASURES = ("visits", "visitors", "views", "engaged", "bounces", "seconds", "sales", "revenue")


class Visits:
    """Visits by their attributes, with what is counted of them.

    Args:
        days: the days with visits.
    """

    def __init__(self, days: Sequence[str]) -> None:
        self.rows: list[dict[str, Any]] = []
        for number, parts in enumerate(product(days, SOURCES, COUNTRIES, PAGES), start=1):
            day, source, country, page = parts
            self._add(number, (day, *source, *country, *page))

    def _add(self, number: int, attributes: Sequence[str]) -> None:
        visits = number % 7 + 2
        sales = number % 2 if "purchase" in attributes else 0
        measures = (
            *(visits, visits - number % 2, visits * 3 + number % 5, visits - 1, number % 3),
            *(number * 11, sales, sales * 12.25),
        )
        names = (*ATTRIBUTES, *MEASURES)
        self.rows.append(dict(zip(names, (*attributes, *measures), strict=True)))

    def grouped(
        self, by: Sequence[str], days: Collection[str] | None = None
    ) -> dict[tuple[str, ...], dict[str, Any]]:
        """Return the sums of all measures, by attributes.

        Args:
            by: the attributes.
            days: the days; None for all.
        """
        groups: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in self.rows:
            if days is None or row["day"] in days:
                sums = groups.setdefault(
                    tuple(row[name] for name in by), dict.fromkeys(MEASURES, 0)
                )
                for name in MEASURES:
                    sums[name] += row[name]
        return groups

    def restate(self, day: str) -> None:
        """Change what is counted of a day, and add a visit with other attributes to it."""
        for row in self.rows:
            if row["day"] == day:
                row["visits"] += 3
                row["views"] += 5
                row["seconds"] += 7
                row["revenue"] += 0.5
        late = ("bing", "cpc", "Paid Search", "FR", "France", "/late", "sign_up", "smart tv")
        self._add(len(self.rows) + 1, (day, *late))


def days_between(first: str, last: str) -> list[str]:
    """Return the days of a span, both ends included.

    Raises:
        ValueError: one is no day, or the last is before the first.
    """
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    if end < start:
        raise ValueError(f"{last} is before {first}")
    return [(start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]
