"""The rows of every resource, as pure functions of the current date."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

from analytics_assets.sandbox.series import ANALYTICS_IDS, FIRST_DAY, articles, views_of_site

Row = dict[str, Any]

# A day is restated until it is this many days old.
FINAL_AGE = 4
# Percent of the final count that is still missing, by the age of the day.
_MISSING = {1: 6, 2: 3, 3: 1, FINAL_AGE: 0}

_SEGMENTS = (("new", 0.35), ("returning", 0.65))
_CHANNELS = (
    ("google", "organic", 0.44),
    ("(direct)", "(none)", 0.27),
    ("wikipedia.org", "referral", 0.14),
    ("newsletter", "email", 0.08),
    ("bing", "cpc", 0.07),
)
_COUNTRIES = ("US", "DE", "FR", "JP", "RU")
_DEVICES = ("desktop", "mobile", "tablet")


@lru_cache(maxsize=16)
def sandbox_rows(resource: str, today: date) -> list[Row]:
    """Return all rows of one resource on one day.

    The list is shared between callers: read it, do not change it.

    Args:
        resource: One of ``RESOURCES``.
        today: The day of the request. Rows go up to the day before.

    Returns:
        The rows in the order of their date, then their id.

    Raises:
        KeyError: There is no such resource.
    """
    build = _BUILDERS[resource]
    days = (FIRST_DAY + timedelta(days=n) for n in range((today - FIRST_DAY).days))
    return [row for day in days for row in build(day, min((today - day).days, FINAL_AGE))]


def _sorted_by_id(
    build: Callable[[date, int], Iterator[Row]],
) -> Callable[[date, int], tuple[Row, ...]]:
    # Cached by day and age, so that moving the clock builds no final day anew.
    @cache
    def build_sorted(day: date, age: int) -> tuple[Row, ...]:
        return tuple(sorted(build(day, age), key=lambda row: str(row["id"])))

    return build_sorted


def _page_views(day: date, _age: int) -> Iterator[Row]:
    for article in articles():
        yield {
            "id": f"{day:%Y%m%d}-{article.key}",
            "analytics_id": article.analytics_id,
            "date": day.isoformat(),
            "page": article.title,
            "project": article.project,
            "access": article.access,
            "agent": article.agent,
            "page_views": article.views_on(day),
            "updated_at": _midnight(day, 1),
        }


def _website_overview(day: date, age: int) -> Iterator[Row]:
    for position, site in enumerate(ANALYTICS_IDS):
        views = views_of_site(site, day)
        # On a day without consent pages are counted but no session is.
        consent = ((day - FIRST_DAY).days + 7 * position) % 61 != 20
        sessions = int(views * _between(0.55, 0.65, site, day, "sessions")) if consent else 0
        new_users = int(sessions * _between(0.3, 0.5, site, day, "new"))
        yield {
            "id": f"{day:%Y%m%d}-{site}",
            "analytics_id": site,
            "date": day.isoformat(),
            "sessions": _known(sessions, age),
            "page_views": _known_and_changing(views, age),
            "new_users": _known(new_users, age),
            "bounce_rate": round(_between(0.35, 0.65, site, day, "bounce"), 4) if consent else None,
            "avg_session_seconds": (
                round(_between(60, 180, site, day, "seconds"), 1) if consent else 0.0
            ),
            "updated_at": _midnight(day, age),
        }


def _daily_active_users(day: date, age: int) -> Iterator[Row]:
    for site in ANALYTICS_IDS:
        users = views_of_site(site, day) * 0.5
        for segment, share in _SEGMENTS:
            user_key = hashlib.sha256(f"{site}/{segment}".encode()).hexdigest()[:16]
            active = max(10, int(users * share * _between(0.9, 1.1, site, day, segment)))
            known = _known_and_changing(active, age)
            yield {
                "id": f"{day:%Y%m%d}-{site}-{user_key}",
                "analytics_id": site,
                "user_key": user_key,
                "date": day.isoformat(),
                "device": _one_of(_DEVICES, site, day, segment),
                "active_users": known,
                "new_users": known if segment == "new" else 0,
                "updated_at": _midnight(day, age),
            }


def _traffic_sources(day: date, age: int) -> Iterator[Row]:
    for site in ANALYTICS_IDS:
        visits = views_of_site(site, day) * 0.6
        for number, (source, medium, share) in enumerate(_CHANNELS, start=1):
            sessions = max(10, int(visits * share * _between(0.9, 1.1, site, day, source)))
            new_users = int(sessions * _between(0.3, 0.5, site, day, medium))
            yield {
                "id": f"{day:%Y%m%d}-{site}-{number}",
                "analytics_id": site,
                "date": day.isoformat(),
                "source": source,
                "medium": medium,
                "country": _one_of(_COUNTRIES, site, day, source),
                "device": _one_of(_DEVICES, site, day, source),
                "sessions": _known_and_changing(sessions, age),
                "new_users": _known(new_users, age),
                "updated_at": _midnight(day, age),
            }


def _known(final: int, age: int) -> int:
    return final - final * _MISSING[age] // 100


def _known_and_changing(final: int, age: int) -> int:
    # However small the count is, the second term makes each age's differ from the age before.
    return _known(final, age) - (FINAL_AGE - age)


def _midnight(day: date, age: int) -> str:
    return f"{day + timedelta(days=age):%Y-%m-%d}T00:00:00Z"


def _between(low: float, high: float, site: str, day: date, topic: str) -> float:
    return low + (high - low) * _draw(site, day, topic) / 2**32


def _one_of(choices: tuple[str, ...], site: str, day: date, topic: str) -> str:
    return choices[_draw(site, day, topic) % len(choices)]


def _draw(site: str, day: date, topic: str) -> int:
    return zlib.crc32(f"{site}/{day.isoformat()}/{topic}".encode())


_BUILDERS = {
    "page_views": _sorted_by_id(_page_views),
    "website_overview": _sorted_by_id(_website_overview),
    "daily_active_users": _sorted_by_id(_daily_active_users),
    "traffic_sources": _sorted_by_id(_traffic_sources),
}
RESOURCES = tuple(_BUILDERS)
