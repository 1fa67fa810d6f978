"""The first pages of a resource, and what its paginator would do next, as sentences."""

from collections.abc import Mapping
from typing import Any

from analytics_assets.config.text.quantities import count, number
from analytics_assets.extract.paging.evidence.quality import ANSWERS
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.sampling.request_text import difference


def described_pages(
    sample: ReadSample, rows_found: int, params: Mapping[str, Any], outside: int | None = None
) -> str:
    """Describe the first pages of a resource, and what its paginator would do next.

    Args:
        sample: the pages.
        rows_found: the number of rows of a resource that has no pages.
        params: the parameters of its window, or of its cursor.
        outside: the number of rows outside of the window; None if it was not counted.
    """
    sent = [page.request for page in sample.pages]
    second = difference(sent[0], sent[1]) if len(sent) > 1 else ""
    second = f" ({second})" if second else ""
    rows = [page.answer.count for page in sample.pages if page.answer.count]
    if len(rows) < 2:
        found = sum(rows) or rows_found
        text = f"{count(found, 'row') if found else 'no rows'} on the first page"
    elif len(rows) == 2:
        text = f"{number(rows[0])} and {count(rows[1], 'row')} on the first two pages{second}"
    else:
        text = f"{count(sum(rows), 'row')} on the first {len(rows)} pages"
    if params:
        text += f" for {params_text(params)}"
    if outside is not None:
        text += f", {number(outside) if outside else 'none'} of them outside of that"
    if not rows:
        return text
    if len(sent) > len(rows):
        return f"{text}; the second{second} is empty"
    return f"{text}; {next_page(sample)}"


def next_page(sample: ReadSample) -> str:
    """Describe what the paginator would do after the last page."""
    last = sample.pages[-1]
    text = "that was the last one" if len(sample.pages) > 1 else "there is no second"
    if not sample.is_over:
        changed = difference(last.request, sample.next_request())
        text = f"next is {changed or 'another page'}"
    total = last.evidence.total
    return text if total is None else f"{text}, total {number(total)}"


def stated_quality(sample: ReadSample) -> str | None:
    """Describe what the pages state of their quality by `answer_quality`; None if nothing."""
    stated = [
        name.removeprefix(f"{ANSWERS}_").replace("_", " ")
        for name, answers in sample.quality.items()
        if name != ANSWERS and answers
    ]
    return f"the API states of its answers: {', '.join(stated)}" if stated else None


def params_text(params: Mapping[str, Any]) -> str:
    """Return the parameters of a window, or of a cursor, with their places in a request."""
    return ", ".join(f"{name}={value}" for name, value in params.items())
