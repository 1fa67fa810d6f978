"""The result of a check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import dagster as dg

from analytics_assets.redaction.redactor import redact

# metadata of checks that may look at the last load alone
WHOLE_TABLE_CHECKED = "whole table checked"  # the moment
COLUMNS_CHECKED = "columns checked"


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Args:
        passed: True if the claim holds.
        text: the finding.
        severity: severity of a failure.
        numbers: counts that the UI plots over time.
        whole_table_checked: the last look at the whole table, by this result or one before it, of
            a check that may look at the last load alone.
        columns: the columns that such a check looks at.
    """

    passed: bool
    text: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    numbers: Mapping[str, int] = field(default_factory=dict)
    whole_table_checked: datetime | None = None
    columns: Sequence[str] = ()

    @property
    def description(self) -> str:
        """The finding without a secret."""
        return redact(self.text)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the result."""
        moment = self.whole_table_checked
        if moment is None:
            return dict(self.numbers)
        return {
            **self.numbers,
            COLUMNS_CHECKED: ", ".join(self.columns),
            WHOLE_TABLE_CHECKED: dg.MetadataValue.timestamp(moment),
        }

    def after_whole_table(self, moment: datetime, columns: Sequence[str]) -> "CheckResult":
        """Return the result with the columns and the moment of the last look at the whole table."""
        return replace(self, whole_table_checked=moment, columns=columns)

    def of(self, asset: dg.AssetKey, check: str) -> dg.AssetCheckResult:
        """Return the result as Dagster's, for a check of an asset."""
        return dg.AssetCheckResult(
            check_name=check,
            asset_key=asset,
            passed=self.passed,
            severity=self.severity,
            description=self.description,
            metadata=self.metadata,
        )

    def outside_a_run(self, asset: dg.AssetKey, check: str) -> dg.AssetCheckEvaluation:
        """Return the result as Dagster's event, for a check that no run evaluates."""
        return dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=check,
            passed=self.passed,
            severity=self.severity,
            description=self.description,
            metadata=self.metadata,
        )


def does_not_apply(reason: str) -> CheckResult:
    """Return the result of a check that says nothing about a table.

    Args:
        reason: the reason, without a full stop.
    """
    return CheckResult(True, f"Does not apply: {reason}.")
