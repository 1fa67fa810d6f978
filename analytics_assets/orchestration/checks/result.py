"""What a check found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dagster as dg


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Args:
        passed: whether all is well.
        text: what was found, in words.
        severity: how bad it is if not.
        numbers: what was found, in numbers that the UI plots over time.
    """

    passed: bool
    text: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    numbers: Mapping[str, int] = field(default_factory=dict)
