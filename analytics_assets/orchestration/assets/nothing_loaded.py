"""The refusal of a load without a row, where the API has rows."""

from collections.abc import Mapping
from typing import Any

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.policy import Policy
from analytics_assets.config.resource import REJECTED_ROWS
from analytics_assets.config.text.quantities import count
from analytics_assets.contract.rows.primary_key import MISSING_KEY
from analytics_assets.orchestration.metadata.load import misses_all, rejects_all
from analytics_assets.orchestration.metadata.names import (
    REJECTION_REASONS,
    ROWS_EXPECTED,
    ROWS_RECEIVED,
)

REASONS_SHOWN = 3


class NothingLoadedError(AnalyticsAssetsError):
    """A load brought no row into the table, though the API has rows."""


def refuse_nothing_loaded(load: Mapping[str, Any], policy: Policy) -> None:
    """Fail a load that rejected all rows, or received none of those that the API counts.

    Rows that the entry's own `processing_steps` drop are no reason to fail, and an API without rows
    is none either.

    Args:
        load: the metadata of the load; its rejected rows are stored.
        policy: the policy; a `max_rejected_share` of 1 accepts a load without a valid row.

    Raises:
        NothingLoadedError: the load is one of the two.
    """
    if rejects_all(load) and policy.max_rejected_share < 1:
        reasons = load.get(REJECTION_REASONS, {})
        raise NothingLoadedError(_all_rejected(load[ROWS_RECEIVED], reasons))
    if misses_all(load):
        raise NothingLoadedError(
            f"The API has {count(load[ROWS_EXPECTED], 'row')} by the total in its answer, and gave "
            "none of them. Does `paginator` in the entry end the read before the first row, or "
            "does `data_selector` name the wrong list? If the number is no total, set `total_path` "
            "in `paginator` to the field that is, or to None."
        )


def _all_rejected(received: int, reasons: Mapping[str, int]) -> str:
    frequent = sorted(reasons.items(), key=lambda each: -each[1])[:REASONS_SHOWN]
    found = "; ".join(f"{reason} ({count(rows, 'time')})" for reason, rows in frequent)
    advice = "If the API is right, take its document over by `analytics-assets contract`"
    if any(reason.endswith(MISSING_KEY) for reason, _ in frequent):
        advice = "Set `primary_key` in the entry to the field that identifies a row"
    return (
        f"All {count(received, 'row')} of the API were rejected, and are in `{REJECTED_ROWS}`: "
        f"{found}. "
        f"{advice}, or `max_rejected_share` in the policy to 1 to accept such loads."
    )
