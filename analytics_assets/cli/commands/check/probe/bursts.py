"""Bursts of requests at once: how many of them pay."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from time import monotonic
from typing import NamedTuple

import requests

from analytics_assets.config.text.quantities import count
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.http.limits.status import is_throttled
from analytics_assets.extract.paging.read_sample import ReadSample

BURSTS = (1, 2, 4, 8, 16)  # requests at once: 31 in all
GAIN = 1.15  # the factor of requests a second below which a larger burst does not pay


class Burst(NamedTuple):
    """A burst of requests.

    Args:
        size: its requests.
        per_second: those that were answered in a second.
        is_throttled: True if the API asked for fewer.
    """

    size: int
    per_second: float
    is_throttled: bool


def probe_bursts(
    connection: Connection, api: str, first: ReadSample, most: int
) -> tuple[list[str], bool]:
    """Send bursts of requests for the first pages of a resource, up to the first refusal.

    Args:
        connection: sends the requests, within its limits.
        api: the API.
        first: its first pages.
        most: the setting `reading.max_in_flight`.

    Returns:
        The outcome and the settings to write, as lines; True if the API asked for fewer requests.
    """
    bursts: list[Burst] = []
    for size in BURSTS:
        if size > most:
            break
        bursts.append(_burst(connection, list(_requests(first, size))))
        if bursts[-1].is_throttled or _is_flat(bursts):
            break
    good = [each for each in bursts if not each.is_throttled]
    rates = ", ".join(f"{each.size}: {each.per_second:.1f}" for each in good)
    lines = [f"requests a second by requests at once: {rates or 'none'}"]
    if bursts[-1].is_throttled:
        lines.append(
            f"the API refused {count(bursts[-1].size, 'request')} at once; no more were sent"
        )
    if not good:
        return [*lines, *_settings(api, 1, 1)], True
    best = max(each.per_second for each in good)
    pays = next(each for each in good if each.per_second * GAIN >= best)
    if bursts[-1].is_throttled:
        rate = max(1, int(pays.per_second))
        return [*lines, *_settings(api, pays.size, rate)], True
    if pays.size == most:
        lines.append(f"{most} pay, as many as `reading.max_in_flight` allows; more may do, too")
    return [*lines, *_settings(api, pays.size)], False


def _requests(first: ReadSample, size: int) -> Iterator[requests.Request]:
    """Yield the requests for the first pages, or for the first one again and again."""
    position, page = first.position, first.pages[0]
    total = page.evidence.total or 0
    pages = -(-total // page.answer.count) if page.answer.count else 0
    for number in range(size):
        if position.step and position.place is not None and number < pages:
            start = position.place - position.step * len(first.pages)
            yield position.request_at(start + number * position.step)
        else:
            yield page.request


def _burst(connection: Connection, asked: Sequence[requests.Request]) -> Burst:
    with closing(connection.fetcher()) as fetcher:
        prepared = [connection.prepare(request) for request in asked]
        started, throttled = monotonic(), False
        for each in prepared:
            fetcher.request(each)
        for _ in prepared:
            try:
                page = fetcher.next_page(lambda page: page)
                throttled |= is_throttled(page.status, page.headers) or page.status >= 500
            except ApiError:
                throttled = True
        seconds = max(monotonic() - started, 1e-3)
    return Burst(len(asked), len(asked) / seconds, throttled)


def _is_flat(bursts: Sequence[Burst]) -> bool:
    """Return True if the last two bursts were no faster than the one before them."""
    if len(bursts) < 3:
        return False
    before, *last = (each.per_second for each in bursts[-3:])
    return max(last) < before * GAIN


def _settings(api: str, in_flight: int, per_second: int | None = None) -> Iterator[str]:
    yield "write to .dlt/config.toml:"
    yield f"    [sources.{api}.reading]"
    yield f"    max_in_flight = {in_flight}"
    if per_second is not None:
        yield f"    max_per_second = {per_second}"
