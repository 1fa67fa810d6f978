"""An answer with nothing in the place of its rows: no rows, or an error."""

from analytics_assets.extract.paging.evidence.counts import Unit
from analytics_assets.extract.paging.evidence.finder import Evidence


def reports_no_rows(
    evidence: Evidence, total: int | None, received: int, is_null: bool, is_allowed: bool
) -> bool:
    """Return True if an answer with nothing in the place of its rows reports that it has none.

    Google's JSON leaves empty lists out, and others say null.

    Args:
        evidence: that of the answer.
        total: the number of all rows, if the API gives it.
        received: the number of rows on the pages before.
        is_null: True if null is in the place of the rows, rather than nothing.
        is_allowed: True if the place is known to be right: by an earlier page, by the contract, or
            by the configuration.
    """
    stated = evidence.stated_total if total is None else total
    counts = [count.value for count in evidence.counts.values() if count.unit is Unit.ROWS]
    more = evidence.reports_more or any(count > received for count in counts)
    if more or stated not in (None, received):
        return False
    agrees = stated == received or (received == 0 and evidence.reports_zero)
    ends = evidence.reports_last or evidence.denies_next
    return is_allowed or agrees or (is_null and ends)
