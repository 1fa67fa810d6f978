"""The result of a check."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dagster as dg

from analytics_assets.redaction.redactor import redact


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Args:
        passed: True if the claim holds.
        text: the finding.
        severity: severity of a failure.
        numbers: counts that the UI plots over time.
    """

    passed: bool
    text: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    numbers: Mapping[str, int] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The finding without a secret."""
        return redact(self.text)

    def of(self, asset: dg.AssetKey, check: str) -> dg.AssetCheckResult:
        """Return the result as Dagster's, for a check of an asset."""
        return dg.AssetCheckResult(
            check_name=check,
            asset_key=asset,
            passed=self.passed,
            severity=self.severity,
            description=self.description,
            metadata=dict(self.numbers),
        )

    def outside_a_run(self, asset: dg.AssetKey, check: str) -> dg.AssetCheckEvaluation:
        """Return the result as Dagster's event, for a check that no run evaluates."""
        return dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=check,
            passed=self.passed,
            severity=self.severity,
            description=self.description,
            metadata=dict(self.numbers),
        )


def does_not_apply(reason: str) -> CheckResult:
    """Return the result of a check that says nothing about a table.

    Args:
        reason: the reason, without a full stop.
    """
    return CheckResult(True, f"Does not apply: {reason}.")
