"""The rows that a query selects: filters, order and page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from analytics_assets.sandbox.rows import Row

DEFAULT_LIMIT = 100
SORTS = ("updated_at", "-updated_at", "date", "-date")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The parameters of a query.

    Args:
        offset: The number of rows to skip.
        limit: The most rows of the page.
        start_date: The first date wanted.
        end_date: The last date wanted.
        updated_since: The earliest ``updated_at`` wanted.
        sort: The field to sort by, with ``-`` before it for the latest first.
    """

    offset: int
    limit: int
    start_date: str | None
    end_date: str | None
    updated_since: datetime | None
    sort: str | None

    def page(self, rows: Sequence[Row]) -> tuple[Sequence[Row], int]:
        """Select the rows of the page.

        Args:
            rows: Every row of the resource, in its own order, which decides among equals.

        Returns:
            The rows of the page, and the number of rows on all pages.
        """
        for test in self._tests():
            rows = [row for row in rows if test(row)]
        if self.sort is not None:
            name = self.sort.removeprefix("-")
            rows = sorted(
                rows, key=lambda row: str(row.get(name, "")), reverse=self.sort.startswith("-")
            )
        return rows[self.offset : self.offset + self.limit], len(rows)

    def _tests(self) -> list[Callable[[Row], bool]]:
        first, last, since = self.start_date, self.end_date, self.updated_since
        tests: list[Callable[[Row], bool]] = []
        if first is not None:
            tests.append(lambda row: "date" in row and row["date"] >= first)
        if last is not None:
            tests.append(lambda row: "date" in row and row["date"] <= last)
        if since is not None:
            tests.append(lambda row: "updated_at" in row and _instant(row["updated_at"]) >= since)
        return tests


def read_selection(query: Mapping[str, str], page_cap: int) -> Selection:
    """Read the parameters of a query.

    Args:
        query: The query's parameters; those of other names are ignored.
        page_cap: The most rows that a page may have.

    Returns:
        The parameters, with the limit capped.

    Raises:
        ValueError: A value is malformed; the message names the parameter.
    """
    sort = query.get("sort")
    if sort is not None and sort not in SORTS:
        raise ValueError(f"sort must be one of {', '.join(SORTS)}")
    return Selection(
        offset=_whole_number(query, "offset", default=0, least=0),
        limit=min(_whole_number(query, "limit", default=DEFAULT_LIMIT, least=1), page_cap),
        start_date=_day(query, "start_date"),
        end_date=_day(query, "end_date"),
        updated_since=_moment(query, "updated_since"),
        sort=sort,
    )


def _whole_number(query: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text) >= least):
        raise ValueError(f"{name} must be a whole number of at least {least}")
    return int(text)


def _day(query: Mapping[str, str], name: str) -> str | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"{name} must be a date such as 2026-01-31") from None


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return _instant(text)
    except ValueError:
        raise ValueError(f"{name} must be a time such as 2026-01-31T00:00:00Z") from None


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
