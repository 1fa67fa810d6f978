"""The state of a table in a word."""

from typing import Any

import pytest

from analytics_assets.cli.commands.report.table_report import RejectedReport, Report, Status
from analytics_assets_tests.cli.commands.report.tables import NOW, check, load, table


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, Status.ok),
        ({"last": None}, Status.never_loaded),
        ({"last": load("failed")}, Status.failed),
        ({"last": load("killed")}, Status.failed),
        ({"checks": [check("newest_data")]}, Status.late),
        ({"checks": [check("newest_partition"), check("primary_key")]}, Status.late),
        ({"checks": [check("newest_data", passed=True)]}, Status.ok),
        ({"checks": [check("primary_key", severity="WARN")]}, Status.attention),
        ({"rejected": [RejectedReport("no", 1, NOW)]}, Status.attention),
        ({"last": load("failed"), "checks": [check("newest_data")]}, Status.failed),
    ],
)
def test_the_state_is_the_worst_that_holds(values: dict[str, Any], status: Status) -> None:
    assert table(**values).status is status


def test_states_are_counted_and_tables_ordered_the_worst_first() -> None:
    tables = [table("shop/a"), table("shop/b", last=load("failed")), table("shop/c")]
    report = Report(NOW, "", tables)

    assert report.by_status == {Status.failed: 1, Status.ok: 2}
    assert [each.name for each in report.worst_first] == ["shop/b", "shop/a", "shop/c"]


def test_failed_checks_are_ordered_errors_first() -> None:
    warning, error = check("a", severity="WARN"), check("b")

    assert table(checks=[warning, error]).failed_checks == [error, warning]
