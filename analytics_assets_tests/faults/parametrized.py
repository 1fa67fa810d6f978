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
        typed: whether a contract says what the rows are, so that pages go straight into columns.
    """

    warehouse: str
    in_flight: int = 1
    typed: bool = False


def each(faults: Sequence[Fault], typed: bool = True) -> pytest.MarkDecorator:
    """Run a test with `fault` and `trial` for each fault of a table.

    Args:
        faults: the table.
        typed: whether the same comes out if a contract says what the rows are.
    """
    cases = [
        pytest.param(
            fault,
            place,
            id=f"{fault.name} ({told})" if told else fault.name,
            # that a fault comes out alike here and there need not be seen at every turn
            marks=[pytest.mark.slow] if fault.slow or told else [],
        )
        for fault in faults
        for elsewhere in ["duckdb" if fault.duckdb_only else "postgres"]
        for place, told in [
            (Place("duckdb"), ""),
            (Place(elsewhere, AT_ONCE), f"pages ahead, {elsewhere}"),
            *([(Place("duckdb", typed=True), "columns")] if typed else []),
        ]
    ]
    return pytest.mark.parametrize(("fault", "trial"), cases, indirect=["trial"])
