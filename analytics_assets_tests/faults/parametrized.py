"""The test of a table of faults: a case for each fault, warehouse, and way to ask for pages."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from analytics_assets_tests.faults.fault import Fault

AT_ONCE = 16  # requests


class Place(NamedTuple):
    """Where and how a fault is tried.

    Args:
        warehouse: what it is loaded into.
        in_flight: how many pages are asked for at once, all the time.
    """

    warehouse: str
    in_flight: int


def each(faults: Sequence[Fault]) -> pytest.MarkDecorator:
    """Run a test with `fault` and `trial` for each fault of a table."""
    cases = [
        pytest.param(
            fault,
            Place(warehouse, in_flight),
            id=f"{fault.name} ({told})" if told else fault.name,
            # that a fault comes out alike everywhere need not be seen at every turn
            marks=[pytest.mark.slow] if fault.slow or told else [],
        )
        for fault in faults
        for warehouse, in_flight, told in [
            ("duckdb", 1, ""),
            ("duckdb", AT_ONCE, "pages ahead"),
            *([("postgres", 1, "postgres")] if fault.everywhere else []),
        ]
    ]
    return pytest.mark.parametrize(("fault", "trial"), cases, indirect=["trial"])
