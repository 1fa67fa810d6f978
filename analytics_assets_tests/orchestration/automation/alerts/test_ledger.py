"""Incidents: findings in, what begins and what is over out."""

from collections.abc import Sequence
from typing import Any

from analytics_assets.orchestration.automation.alerts.incident import (
    Incident,
    Kind,
    Problem,
    Severity,
    Success,
)
from analytics_assets.orchestration.automation.alerts.ledger import Finding, Ledger


def problem(key: str = "load:shop/orders", at: float = 1.0, **fields: Any) -> Problem:
    defaults: dict[str, Any] = {"severity": Severity.ERROR, "cause": "down", "remedy": "wait"}
    return Problem(key, Kind.LOAD, "shop/orders", at=at, **{**defaults, **fields})


def success(key: str = "load:shop/orders", at: float = 2.0, **fields: Any) -> Success:
    return Success(key, at, **fields)


def reported(
    ledger: Ledger, *findings: Finding, quiet: bool = False
) -> tuple[list[str], list[str]]:
    """Record findings, and return the keys of what is reported as begun and as over."""
    ledger.record(findings)
    begun, over = ledger.due(lambda problem: quiet)
    return [each.key for each in begun], [each.incident.key for each in over]


KEY = "load:shop/orders"


def test_an_incident_is_reported_once_however_often_it_is_found() -> None:
    ledger = Ledger()
    assert reported(ledger, problem(), problem(at=2)) == ([KEY], [])
    assert reported(ledger, problem(at=3)) == ([], [])


def test_its_end_is_reported_once() -> None:
    ledger = Ledger()
    reported(ledger, problem())
    assert reported(ledger, success()) == ([], [KEY])
    assert reported(ledger, success(at=3)) == ([], [])


def test_a_success_without_an_incident_is_not_reported() -> None:
    assert reported(Ledger(), success()) == ([], [])


def test_an_incident_that_is_over_before_it_is_reported_is_not_reported() -> None:
    assert reported(Ledger(), problem(), success()) == ([], [])


def test_it_is_reported_again_once_it_begins_again() -> None:
    ledger = Ledger()
    reported(ledger, problem())
    reported(ledger, success())
    assert reported(ledger, problem(at=3)) == ([KEY], [])


def test_a_higher_severity_is_reported_and_a_lower_one_is_not() -> None:
    ledger = Ledger()
    reported(ledger, problem(severity=Severity.WARNING))
    assert reported(ledger, problem(severity=Severity.ERROR)) == ([KEY], [])
    assert reported(ledger, problem(severity=Severity.WARNING)) == ([], [])
    assert ledger.problems[0].severity == Severity.ERROR
    assert ledger.problems[0].at == 1.0


def test_it_begins_with_its_first_problem() -> None:
    ledger = Ledger()
    reported(ledger, problem(at=1, cause="first"), problem(at=2, cause="second"))
    assert (ledger.problems[0].at, ledger.problems[0].cause) == (1, "first")


def test_quiet_hours_hold_all_but_critical_ones() -> None:
    ledger = Ledger()
    critical = problem("load:shop/cash", severity=Severity.CRITICAL)
    assert reported(ledger, problem(), critical, quiet=True) == (["load:shop/cash"], [])
    assert reported(ledger) == ([KEY], [])


def test_what_begins_and_is_over_in_quiet_hours_is_not_reported() -> None:
    ledger = Ledger()
    reported(ledger, problem(), quiet=True)
    assert reported(ledger, success(), quiet=True) == ([], [])
    assert reported(ledger) == ([], [])


def test_an_end_in_quiet_hours_is_reported_after_them() -> None:
    ledger = Ledger()
    reported(ledger, problem())
    assert reported(ledger, success(), quiet=True) == ([], [])
    assert reported(ledger) == ([], [KEY])


def test_what_is_over_and_begins_again_in_quiet_hours_is_still_known() -> None:
    ledger = Ledger()
    reported(ledger, problem())
    reported(ledger, success(), quiet=True)
    assert reported(ledger, problem(at=3), quiet=True) == ([], [])
    assert reported(ledger) == ([], [])
    assert reported(ledger, success(at=4)) == ([], [KEY])


def test_a_rise_in_quiet_hours_that_is_over_then_is_reported_as_over() -> None:
    ledger = Ledger()
    reported(ledger, problem(severity=Severity.WARNING))
    reported(ledger, problem(severity=Severity.ERROR), quiet=True)
    reported(ledger, success(), quiet=True)
    assert reported(ledger) == ([], [KEY])


def ends_with(partitions: Sequence[str], *loads: tuple[str, str]) -> bool:
    """Return True if an incident of failed loads up to some partitions is over with others."""
    ledger = Ledger()
    ledger.record(problem(last_partition=each) for each in partitions)
    ledger.record(success(partitions=each) for each in loads)
    return not ledger.open


def test_a_failed_window_is_over_once_its_newest_partition_is_loaded() -> None:
    assert ends_with(["2026-11-05"], ("2026-11-03", "2026-11-06"))
    assert not ends_with(["2026-11-05"], ("2026-11-06", "2026-11-06"))
    assert not ends_with(["2026-01-31", "2026-11-05"], ("2026-11-03", "2026-11-06"))
    assert ends_with(
        ["2026-01-31", "2026-11-05"], ("2026-11-03", "2026-11-06"), ("2026-01-01", "2026-01-31")
    )


def test_a_load_without_partitions_ends_a_failed_window() -> None:
    ledger = Ledger()
    ledger.record([problem(last_partition="2026-11-05"), success()])
    assert not ledger.open


def test_an_incident_survives_its_storage() -> None:
    incident = Incident.of(problem(last_partition="2026-11-05", run_id="r", check="c"))
    assert Incident.from_json(incident.as_json()) == incident


def test_severities_follow_the_policy() -> None:
    of = Severity.of
    assert [of("critical", False), of("error", False)] == [Severity.CRITICAL, Severity.ERROR]
    assert [of("critical", True), of("error", True)] == [Severity.WARNING] * 2
    assert [of("info", False), of("info", True)] == [Severity.INFO] * 2
    assert of("off", False) is None
