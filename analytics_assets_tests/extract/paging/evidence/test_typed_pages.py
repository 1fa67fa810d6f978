"""Pages that become columns: an empty one in the middle, and flags, by the same rules."""

from typing import Any

import pytest

from analytics_assets_tests.extract.paging.typed_pages.typed_orders import (
    IN_COLUMNS,
    ORDERS,
    PAGE,
    attempted,
    changed,
    entry,
    once,
    read,
)
from analytics_assets_tests.support.paged_server import Answer, orders, paged

pytestmark = pytest.mark.usefixtures("in_a_load", "pages_at_once")


def described(**fields: Any) -> Any:
    """The orders without a total, with other fields on each page."""
    return changed(paged(ORDERS, with_total=False), lambda _offset, body: {**body, **fields})


@pytest.mark.parametrize("fields", [{}, {"count": 95}, {"next": "/orders?offset=1"}], ids=str)
@pytest.mark.parametrize("body", [{"data": []}, {"data": None}, {"kind": "report"}], ids=str)
def test_a_page_that_is_empty_once_loses_no_row(
    fields: dict[str, Any], body: Any, typed_pages: list[int]
) -> None:
    empty = Answer({**body, **fields})

    assert read(once(described(**fields), 40, empty)).rows == IN_COLUMNS
    assert sum(typed_pages) >= 15 * PAGE


def test_a_page_that_stays_empty_fails_the_read() -> None:
    def empty(_offset: int, body: Any) -> Any:
        return {**body, "data": []}

    for fields in ({"count": 95}, {"next": "/orders?offset=45"}):
        assert attempted(changed(described(**fields), empty, {40})).error


def test_a_page_that_is_marked_as_the_last_one_is_the_last() -> None:
    paginator = {"type": "offset", "limit": PAGE, "last_page_path": "over"}
    given = {**entry(), "endpoint": orders(paginator=paginator)["endpoint"]}

    def marked(offset: int, body: Any) -> Any:
        return {**body, "over": offset >= 60}

    found = read(changed(paged(ORDERS, with_total=False), marked), given)

    assert found.rows == IN_COLUMNS[:65]
