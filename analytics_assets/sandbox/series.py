"""The real traffic behind every resource: daily views of nine Wikipedia articles."""

import csv
import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

# Whole weeks keep every count on the weekday it was measured on.
SHIFT = timedelta(weeks=522)
FIRST_DAY = date(2015, 7, 1) + SHIFT
ANALYTICS_IDS = ("site-1001", "site-1002", "site-1003")


@dataclass(frozen=True, kw_only=True)
class Article:
    """One article's traffic.

    Args:
        key: A short text that identifies article, project, access and agent.
        analytics_id: The analytics property that the article is counted under.
        title: The article's title, with spaces.
        project: The wiki, such as ``en.wikipedia.org``.
        access: The kind of access, such as ``mobile-web``.
        agent: The readers that are counted, such as ``all-agents``.
        views: The views of each day of the series, oldest first.
    """

    key: str
    analytics_id: str
    title: str
    project: str
    access: str
    agent: str
    views: tuple[int, ...]

    def views_on(self, day: date) -> int:
        """Return the views of one day; the series repeats at its end.

        Args:
            day: A day from ``FIRST_DAY`` on.

        Returns:
            The views that the series has for that day.
        """
        return self.views[(day - FIRST_DAY).days % len(self.views)]


@cache
def articles() -> tuple[Article, ...]:
    """Read the series that ships with the package, once.

    Returns:
        The articles in the order of the file.
    """
    source = files(__package__) / "data" / "wikipedia_traffic_daily.csv"
    views: defaultdict[str, list[int]] = defaultdict(list)
    for line in csv.DictReader(source.read_text(encoding="utf-8").splitlines()):
        views[line["Page"]].append(int(line["value"]))
    return tuple(_article(position, *series) for position, series in enumerate(views.items()))


def _article(position: int, page: str, views: list[int]) -> Article:
    title, project, access, agent = page.rsplit("_", 3)
    return Article(
        key=hashlib.sha256(page.encode()).hexdigest()[:12],
        analytics_id=ANALYTICS_IDS[position % len(ANALYTICS_IDS)],
        title=title.replace("_", " "),
        project=project,
        access=access,
        agent=agent,
        views=tuple(views),
    )


def views_of_site(analytics_id: str, day: date) -> int:
    """Sum the views of one property's articles on one day.

    Args:
        analytics_id: One of ``ANALYTICS_IDS``.
        day: A day from ``FIRST_DAY`` on.

    Returns:
        The views of its three articles together.
    """
    return sum(item.views_on(day) for item in articles() if item.analytics_id == analytics_id)
