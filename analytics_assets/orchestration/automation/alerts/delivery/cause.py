"""The words of a problem: the first line of its cause, and the remedy."""

import re
from collections.abc import Mapping

from analytics_assets.config.text.excerpts import excerpt, first_line
from analytics_assets.orchestration.automation.alerts.incident import Kind
from analytics_assets.orchestration.checks.names import (
    COLUMNS_UNCHANGED,
    CONTRACT_DRIFT,
    NEWEST_DATA,
    NEWEST_PARTITION,
    NO_REJECTED_ROWS,
)
from analytics_assets.redaction.redactor import redact

LONGEST = 400  # characters of a cause, and of a remedy
# the first sentence of a failure: the message has it in its title, but for the partitions
OUTCOME = re.compile(r"\S+ was not loaded(?: for ([^.]+))?\. ")
KINDS: Mapping[str, Kind] = {
    NEWEST_PARTITION: Kind.LATE,
    NEWEST_DATA: Kind.LATE,
    CONTRACT_DRIFT: Kind.DRIFT,
    COLUMNS_UNCHANGED: Kind.DRIFT,
    NO_REJECTED_ROWS: Kind.REJECTED,
}
REMEDIES: Mapping[Kind, str] = {
    Kind.LOAD: "The table is as it was. The next scheduled load brings everything; to load it "
    "now: `analytics-assets materialize {asset}`, or Materialize in the UI.",
    Kind.QUOTA: "The table is as it was. Load it again once the API's quota is renewed: "
    "`analytics-assets materialize {asset}`. `reading.max_per_second` and a rarer `schedule` need "
    "less of it.",
    Kind.CHECK: "The rows are loaded. The check in the UI has all findings.",
    Kind.LATE: "Is its schedule switched on, does Dagster's daemon run, and did the last run "
    "succeed? Or does the API bring its data later than `freshness` in the policy says?",
    Kind.DRIFT: "If the change is meant, `analytics-assets contract` stores the API's document.",
    Kind.REJECTED: "`analytics-assets rejected {asset}` lists the rows.",
    Kind.RUN: "The log of the run has the whole error.",
}


def remedy_of(kind: Kind, asset: str) -> str:
    """Return the remedy of a kind of problems."""
    return REMEDIES[kind].replace("{asset}", asset)


def cause_of(text: str) -> str:
    r"""Return the first line of an error without secrets, and without what a title has.

    Example:
        >>> cause_of("orders was not loaded. The API answered 500.\nTraceback ...")
        'The API answered 500.'
        >>> cause_of("orders was not loaded for 2026-01-01 to 2026-01-03. The API answered 500.")
        '2026-01-01 to 2026-01-03: The API answered 500.'
    """
    line = OUTCOME.sub(_partitions, first_line(text), count=1)
    return excerpt(redact(line) or "No reason is known.", LONGEST)


def _partitions(outcome: re.Match[str]) -> str:
    return f"{outcome[1]}: " if outcome[1] else ""


def check_cause(text: str) -> tuple[str, str]:
    r"""Return the first finding of a check with the number of further ones, and its remedy.

    Args:
        text: the description of the result, whose last line is the remedy if there are several.

    Example:
        >>> check_cause("added a\nremoved b\nRun it again.")
        ('added a (and 1 more)', 'Run it again.')
    """
    lines = [line.strip() for line in redact(text).splitlines() if line.strip()]
    if len(lines) < 2:
        return excerpt(lines[0] if lines else "It has no description.", LONGEST), ""
    first, *others, remedy = lines
    more = f" (and {len(others)} more)" if others else ""
    return excerpt(first, LONGEST) + more, excerpt(remedy, LONGEST)


def check_kind(check: str) -> Kind:
    """Return the kind of the problem if a check fails."""
    return KINDS.get(check, Kind.CHECK)
