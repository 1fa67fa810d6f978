"""Messages: what begins and what is over, as the sections that a receiver reads."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analytics_assets.config.text.excerpts import first_names
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.automation.alerts.incident import Incident, Kind, Problem
from analytics_assets.orchestration.automation.alerts.ledger import Ended

MOST_SECTIONS, MOST_NAMES, MOST_KINDS, MOST_APIS = 10, 10, 2, 3
RECOVERED = "recovered"
TEST = "test"
PLURALS = {
    Kind.LOAD: "failed loads",
    Kind.QUOTA: "loads with a used up quota",
    Kind.CHECK: "failed checks",
    Kind.LATE: "late tables",
    Kind.DRIFT: "schema drifts",
    Kind.REJECTED: "tables with rejected rows",
    Kind.RUN: "failed runs",
}


@dataclass(frozen=True)
class Section:
    """A part of a message: one problem, of one table or of several.

    Args:
        level: the severity in a word, or "recovered".
        title: the kind of the problem.
        names: the first tables that have it.
        more: the number of further ones.
        cause: the first line of the error.
        remedy: a sentence or two; empty for what is over.
        since: the moment of its beginning, in seconds since 1970.
        until: the moment of its end, likewise; None if it is not over.
        run_id: a run that shows it; empty for none.
    """

    level: str
    title: str
    names: Sequence[str]
    more: int
    cause: str
    remedy: str
    since: float
    until: float | None
    run_id: str


@dataclass(frozen=True)
class Message:
    """A message.

    Args:
        level: the highest severity in it in a word, "recovered", or "test".
        subject: its subject without the level.
        sections: its first sections.
        more: the number of further problems, which are not shown.
        is_all_clear: True if nothing is open any more that its receivers know of.
    """

    level: str
    subject: str
    sections: Sequence[Section]
    more: int = 0
    is_all_clear: bool = False

    @property
    def title(self) -> str:
        """The subject with the level."""
        return f"{self.level.upper()}: {self.subject}"

    def as_json(self) -> dict[str, Any]:
        """Return the message as values of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Message":
        """Return a stored message."""
        sections = [Section(**section) for section in stored["sections"]]
        return cls(**{**stored, "sections": sections})


def message_of(
    begun: Sequence[Incident], over: Sequence[Ended], *, is_summary: bool = False
) -> Message:
    """Return the message about some incidents.

    Args:
        begun: the incidents that are open; the worst are shown first.
        over: those that are over.
        is_summary: True for what has waited in quiet hours.
    """
    problems = [incident.problem for incident in begun]
    sections = [*_sections(problems), *_recoveries(over)]
    shown = sections[:MOST_SECTIONS]
    more = sum(len(section.names) + section.more for section in sections[MOST_SECTIONS:])
    level = max(problem.severity for problem in problems).word if problems else RECOVERED
    subject = _subject(problems, over)
    return Message(level, f"after quiet hours: {subject}" if is_summary else subject, shown, more)


def test_message() -> Message:
    """Return the message by which a receiver is tried."""
    section = Section(
        *("info", "test", ["analytics_assets"], 0),
        "This is a test: alerts of analytics_assets arrive here.",
        *("There is nothing to do.", 0.0, None, ""),
    )
    return Message(TEST, "alerts arrive here", [section])


def _subject(problems: Sequence[Problem], over: Sequence[Ended]) -> str:
    parts = [_summary(problems)] if problems else []
    if over:
        ended = _summary([each.incident.problem for each in over])
        parts.append(f"over: {ended}" if problems else ended)
    return "; ".join(parts)


def _summary(problems: Sequence[Problem]) -> str:
    """Return a problem, or the number of each kind, and whose they are."""
    if len(problems) == 1:
        return f"{_kind(problems[0])}: {problems[0].asset}"
    counts = Counter(problem.kind for problem in _worst_first(problems)).most_common()
    shown = [_counted(kind, number) for kind, number in counts[:MOST_KINDS]]
    more = sum(number for _, number in counts[MOST_KINDS:])
    shown += [count(more, "more problem")] if more else []
    apis = sorted({problem.asset.partition("/")[0] for problem in problems})
    return f"{listed_in_words(shown)} of {first_names(apis, MOST_APIS)}"


def listed_in_words(parts: Sequence[str]) -> str:
    """Return parts of a sentence, the last one after "and".

    Example:
        >>> listed_in_words(["2 failed loads", "1 late table"])
        '2 failed loads and 1 late table'
    """
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _worst_first(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda each: (-each.severity, list(Kind).index(each.kind)))


def _counted(kind: Kind, number: int) -> str:
    singular = "table with rejected rows" if kind == Kind.REJECTED else str(kind)
    return count(number, singular, PLURALS[kind])


def _kind(problem: Problem) -> str:
    return f"{problem.kind} `{problem.check}`" if problem.check else str(problem.kind)


def _sections(problems: Iterable[Problem]) -> list[Section]:
    """Return a section for each cause, whatever the number of tables that have it."""
    alike: dict[tuple[Any, ...], list[Problem]] = defaultdict(list)
    for problem in problems:
        name = problem.asset.rpartition("/")[2]
        cause = problem.cause.replace(problem.asset, "…").replace(name, "…")
        alike[-problem.severity, _kind(problem), cause].append(problem)
    ordered = sorted(alike.items(), key=lambda item: (item[0][0], -len(item[1])))
    return [_section(group) for _, group in ordered]


def _section(alike: Sequence[Problem]) -> Section:
    first = alike[0]
    names = sorted({problem.asset for problem in alike})
    return Section(
        first.severity.word,
        _kind(first),
        names[:MOST_NAMES],
        max(0, len(names) - MOST_NAMES),
        first.cause,
        # of several tables a command names none
        first.remedy.replace(f" {first.asset}`", "`") if names[1:] else first.remedy,
        min(problem.at for problem in alike),
        None,
        first.run_id,
    )


def _recoveries(over: Iterable[Ended]) -> list[Section]:
    alike: dict[tuple[str, str], list[Ended]] = defaultdict(list)
    for ended in over:
        alike[_kind(ended.incident.problem), ended.run_id].append(ended)
    return [_recovery(group) for group in alike.values()]


def _recovery(alike: Sequence[Ended]) -> Section:
    first = alike[0].incident.problem
    names = sorted({ended.incident.problem.asset for ended in alike})
    return Section(
        RECOVERED,
        _kind(first),
        names[:MOST_NAMES],
        max(0, len(names) - MOST_NAMES),
        first.cause if len(alike) == 1 else "",
        "",
        min(ended.incident.problem.at for ended in alike),
        max(ended.at for ended in alike),
        alike[0].run_id,
    )
