"""The check of the quality that the API's answers state."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from analytics_assets.config.text.excerpts import first_names
from analytics_assets.config.text.quantities import count, number
from analytics_assets.orchestration.checks.load_checks import NO_LOAD
from analytics_assets.orchestration.checks.result import CheckResult
from analytics_assets.orchestration.metadata.names import (
    ANSWERS,
    ANSWERS_OTHER_ROWS,
    ANSWERS_SAMPLED,
    ANSWERS_THRESHOLDED,
    ANSWERS_TRUNCATED,
    WINDOWS_HALVED,
    WINDOWS_SAMPLED,
)

NAMED_AT_MOST = 10  # windows
FINDINGS = {
    ANSWERS_SAMPLED: (
        "sampled: numbers are estimated from a part of the data. Ask for fewer dimensions or "
        "filters, or for shorter windows by `Partitioned`."
    ),
    ANSWERS_THRESHOLDED: (
        "thresholded: rows of few people are left out, so that sums are too low. Leave out "
        "dimensions that tell people apart, or take longer windows."
    ),
    ANSWERS_OTHER_ROWS: (
        "with rare values in one row, such as `(other)`: sums are right, and parts of them are "
        "missing. Ask for fewer dimensions, or for shorter windows by `Partitioned`."
    ),
    ANSWERS_TRUNCATED: (
        "truncated: the API cut rows off. Ask for shorter windows by `Partitioned`, or raise the "
        "limit of a request if the API has one."
    ),
}


def check_answer_quality(load: Mapping[str, Any]) -> CheckResult:
    """Warn if answers of the last load state that their rows are not all, or not exact.

    Args:
        load: the metadata of the last load.
    """
    if ANSWERS not in load:
        return CheckResult(False, NO_LOAD, dg.AssetCheckSeverity.WARN)
    numbers = {name: load[name] for name in FINDINGS if name in load}
    answers = count(load[ANSWERS], "answer")
    halved, sampled = (load.get(name, []) for name in (WINDOWS_HALVED, WINDOWS_SAMPLED))
    found = [
        f"{number(stated)} of {answers} {'is' if stated == 1 else 'are'} {FINDINGS[name]}"
        for name, stated in numbers.items()
        if stated
    ]
    text = " ".join(found) or f"None of {answers} is {_listed(numbers)}."
    if halved:
        windows = count(len(halved), "window was sampled", "windows were sampled")
        text += f" {windows}, and requested again in halves: {first_names(halved, NAMED_AT_MOST)}."
    if sampled and halved:
        text += f" Sampled even so, and loaded: {first_names(sampled, NAMED_AT_MOST)}."
    return CheckResult(not found, text, dg.AssetCheckSeverity.WARN, numbers)


def _listed(numbers: Mapping[str, int]) -> str:
    words = [name.removeprefix(f"{ANSWERS} ") for name in numbers]
    return " or ".join(word.replace("other rows", "with other rows") for word in words)
