"""The check of a resource: its first two pages, compared with its entry and its policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analytics_assets.cli.commands.check.fields import days, missing_fields, shared_keys
from analytics_assets.cli.commands.check.finding import Finding
from analytics_assets.cli.commands.check.paging import Paging
from analytics_assets.cli.sampled_pages import described_pages, params_text, stated_quality
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Incremental
from analytics_assets.config.resource import parents_of
from analytics_assets.config.text.quantities import count, number
from analytics_assets.config.times.timestamps import earlier
from analytics_assets.config.times.window import TimeWindow
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.incremental.cursor_values import ROWS_BEFORE_START, CursorValues
from analytics_assets.extract.incremental.window_check import WindowCheck
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.sampling.first_pages import FirstPages, read_first_pages
from analytics_assets.extract.sampling.request_text import request_text
from analytics_assets.orchestration.partitions.first_request import newest_window, params_of

DAY = timedelta(days=1)


class CheckError(AnalyticsAssetsError):
    """The pages of a resource are not as its entry and its policy say.

    Args:
        message: what is wrong, and the remedy.
        asked: the first request.
    """

    def __init__(self, message: str, asked: str) -> None:
        super().__init__(message)
        self.asked = asked


@dataclass
class Outcome:
    """The outcome of a check that found nothing wrong.

    Args:
        text: the rows, the window, and the next page.
        asked: the first request.
        warnings: what may be wrong.
        sample: the pages.
        params: the parameters of the window, or of the cursor.
    """

    text: str
    asked: str
    warnings: list[str]
    sample: ReadSample
    params: Mapping[str, Any]


def check_resource(resource: Resource, connection: Connection, now: datetime) -> Outcome:
    """Request the first two pages of a resource as a load does, and compare them with `api.py`.

    The request of a partitioned resource is for its newest finished partitions, that of an
    incremental one for changes since `initial_value`, and another one for those since the newest
    change on these pages.

    Args:
        resource: the resource.
        connection: the connection to its API.
        now: the moment up to which partitions have ended.

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: the request for the first page failed; its
            cause is an `ApiError` with the reason.
        CheckError: something is wrong.
        WindowIgnoredError: most rows lie outside of the partitions.
    """
    window = newest_window(resource, now)
    params = params_of(resource, window)
    pages = read_first_pages(resource, connection, params)
    findings = list(_findings(resource, pages))
    outside = None
    if not any(each.is_wrong for each in findings):
        outside = _count_outside(resource, window, pages)
        findings += _ignored_cursor(resource, connection, pages, now)
    wrong = [each.text for each in findings if each.is_wrong]
    asked = request_text(pages.sample.pages[0].request) if pages.sample.pages else ""
    if wrong:
        text = "; ".join(wrong).rstrip(".")
        raise CheckError(f"{resource.name}: {text}.", asked)
    return Outcome(
        described_pages(pages.sample, len(pages.rows), params, outside),
        asked,
        [each.text.rstrip(".") for each in findings],
        *(pages.sample, params),
    )


def _findings(resource: Resource, pages: FirstPages) -> Iterator[Finding]:
    if stated := stated_quality(pages.sample):
        yield Finding(stated, is_wrong=False)
    yield from missing_fields(resource, pages)
    if pages.sample.pages:
        yield from shared_keys(resource, pages)
        yield from Paging(resource, pages.sample).findings()


def _count_outside(resource: Resource, window: TimeWindow | None, pages: FirstPages) -> int | None:
    """Count the rows outside of a time window; None without one, or without rows.

    Raises:
        WindowIgnoredError: most are; for a child, which has many requests, they are only counted.
    """
    if window is None or not pages.rows:
        return None
    check = WindowCheck(resource.name, str(resource.policy.date_column), window)
    check.count(days(resource, pages.rows))
    if not parents_of(resource.entry):
        check.refuse_rows_outside()
    return check.outside


def _ignored_cursor(
    resource: Resource, connection: Connection, pages: FirstPages, now: datetime
) -> Iterator[Finding]:
    """Find an API that ignores the parameter of an incremental load, by another request.

    It asks for the changes since the newest one on the pages: those of days before are not to be
    there. Changes of the same day may be, as some APIs filter by days.
    """
    load = resource.policy.load
    if not isinstance(load, Incremental) or not pages.sent:
        return
    form = resource.policy.time_formats.get(load.field)
    before = CursorValues(resource.contract, load, earlier(load.start, DAY), now)
    before.add(pages.sent)
    start, old, rows = load.start, before.counts[ROWS_BEFORE_START], len(pages.sent)
    if 2 * old <= rows and before.newest and not parents_of(resource.entry):
        start = load.read(load.written(before.newest, form), form)
        params = params_of(resource, None, start)
        again = read_first_pages(resource, connection, params, pages=1)
        after = CursorValues(resource.contract, load, earlier(start, DAY), now)
        after.add(again.sent)
        old, rows = after.counts[ROWS_BEFORE_START], len(again.sent)
    if rows and 2 * old > rows:
        sent = params_of(resource, None, start)
        option = "param" if load.params is None else "params"
        yield Finding(
            f"{number(old)} of the {count(rows, 'row')} for {params_text(sent)} changed before "
            f"that: the API seems to ignore {' and '.join(f'`{name}`' for name in sent)}. Set "
            f"`{option}` of `Incremental` in its policy to the API's own name, "
            "and `field` to the field that it filters by"
        )
