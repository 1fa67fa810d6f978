"""The test of a table of faults: a case for each fault and warehouse."""

from collections.abc import Sequence

import pytest

from analytics_assets_tests.faults.fault import Fault


def each(faults: Sequence[Fault]) -> pytest.MarkDecorator:
    """Run a test with `fault` and `trial` for each fault of a table."""
    cases = [
        pytest.param(
            fault,
            warehouse,
            id=fault.name if warehouse == "duckdb" else f"{fault.name} ({warehouse})",
            # that a fault comes out alike on both warehouses need not be seen at every turn
            marks=[pytest.mark.slow] if fault.slow or warehouse == "postgres" else [],
        )
        for fault in faults
        for warehouse in (("duckdb", "postgres") if fault.everywhere else ("duckdb",))
    ]
    return pytest.mark.parametrize(("fault", "trial"), cases, indirect=["trial"])
