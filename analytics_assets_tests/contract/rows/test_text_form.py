"""Texts of values in text columns."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.contract.rows.text_form import as_text

EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (False, "false"),
        (5.0, "5"),
        (-0.1, "-0.1"),
        (1e16, "1e+16"),
        (1e15, "1000000000000000"),
        (1.5e-7, "1.5e-07"),
        (Decimal(100), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.50"), "-0.5"),
        (datetime(2026, 1, 2, 1, 30, tzinfo=EAST), "2026-01-01T23:30:00Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC), "2026-01-01T00:00:00.5Z"),
        (date(2026, 1, 1), None),
        (5, None),
    ],
)
def test_a_value_has_the_text_of_json_or_iso_8601(value: Any, text: str | None) -> None:
    assert as_text(value) == text
