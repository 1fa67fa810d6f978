"""The scenarios of the table: what is done with each recipe, and what its tables must hold then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from analytics_assets_tests.recipes.project import Project, comparable
from analytics_assets_tests.recipes.server import DAYS, EMPTY_DAY, RESTATED_DAY, VendorServer

NOT_APPLICABLE = "none"


@dataclass
class Outcome:
    """The outcome of all scenarios of a recipe.

    Args:
        vendor: the recipe.
        cells: what the table shows of a scenario, by its name.
        problems: what was wrong, by the scenario.
    """

    vendor: str
    cells: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The recipe's line of the table."""
        return f"| {' | '.join([f'`{self.vendor}`', *self.cells.values()])} |"


class Scenarios:
    """All scenarios of a recipe, one after another on one project.

    Args:
        vendor: the recipe.
        server: the vendor's server, which runs.
        project: the recipe as a user's API.
    """

    def __init__(self, vendor: str, server: VendorServer, project: Project) -> None:
        self._server = server
        self._project = project
        self._tables = server.resources
        self._kinds = [name for name, table in self._tables.items() if not table.is_alike]
        self._by_days = [name for name in self._kinds if self._tables[name].day]
        self._outcome = Outcome(vendor)

    def outcome(self, names: Sequence[str] = ()) -> Outcome:
        """Run scenarios, each on what the one before it has left, and return the outcome.

        Args:
            names: the first ones of the table; all if none are named.
        """
        for name in names or SCENARIOS:
            try:
                self._outcome.cells[name] = SCENARIOS[name](self)
            except AssertionError as problem:
                self._outcome.cells[name] = "**wrong**"
                self._outcome.problems[name] = str(problem)
        return self._outcome

    def check(self) -> str:
        """`check` signs in, and finds the fields that `api.py` names."""
        self._run("check")
        return "yes"

    def full(self) -> str:
        """`materialize` loads all rows of all tables into an empty warehouse."""
        self._run("materialize")
        return self._compared(list(self._tables))

    def resync(self) -> str:
        """A second load changes nothing, and has each row once."""
        return self._materialized()

    def quota_hit(self) -> str:
        """A load of one resource that meets the quota waits, or fails and the next one loads."""
        [one, *_] = self._resources
        sentence = self._server.quota_sentence
        self._server.quota(1)
        output = self._run("materialize", one, exit_code=1 if sentence else 0)
        assert sentence in output, output
        assert not self._server.quota_left, "no request has met the quota"
        if sentence:
            self._run("materialize", one)
        self._compared(self._kinds)
        return "fails, then loads" if sentence else "waits"

    def restated_days(self) -> str:
        """Values that changed, and a row that came late, are in the tables after the next load."""
        before = {name: comparable(self._server.expected(name), ()) for name in self._kinds}
        self._server.restate(RESTATED_DAY)
        after = {name: comparable(self._server.expected(name), ()) for name in self._kinds}
        assert before != after, "the server has restated nothing"
        return self._materialized()

    def by_days(self) -> str:
        """Each day loads in a run of its own, into an empty warehouse, and brings no other day."""
        if not self._by_days:
            return NOT_APPLICABLE
        self._project.begin("by_days")
        for number, day in enumerate(DAYS, start=1):
            self._load_day(day)
            compared = self._compared(self._by_days, DAYS[:number])  # no row of another day
        return compared

    def empty_day(self) -> str:
        """A day on which nothing happened loads, and adds no row, or the zeros of the vendor."""
        if not self._by_days:
            return NOT_APPLICABLE
        self._load_day(EMPTY_DAY)
        return self._compared(self._by_days, (*DAYS, EMPTY_DAY))

    @property
    def _resources(self) -> list[str]:
        """The resources, one of each kind."""
        return [name for name in self._kinds if not self._tables[name].is_child]

    def _materialized(self) -> str:
        self._run("materialize", *self._resources)
        return self._compared(self._kinds)

    def _run(self, *arguments: str, exit_code: int = 0) -> str:
        done = self._project.run(*arguments)
        crash = done.exception if not isinstance(done.exception, SystemExit) else None
        assert crash is None, repr(crash)
        assert done.exit_code == exit_code, done.output
        return done.output

    def _load_day(self, day: str) -> None:
        by_days = [name for name in self._resources if name in self._by_days]
        failures = self._project.load_day(day, by_days)
        assert not failures, f"{day}: {failures}"

    def _compared(self, names: list[str], days: tuple[str, ...] = ()) -> str:
        """Compare tables with the vendor's rows cell by cell; return the number of rows."""
        total = 0
        for name in names:
            table = self._tables[name]
            wanted = comparable(self._server.expected(name), table.key)
            if table.day and days:
                wanted = [row for row in wanted if str(row[table.day])[:10] in days]
            found = self._project.table(name, table.key)
            assert found == wanted, difference(name, found, wanted)
            total += len(found)
        return f"{total} rows"


def difference(name: str, found: list[dict[str, object]], wanted: list[dict[str, object]]) -> str:
    """Describe where a table differs from the rows that it must have."""
    pairs = zip(found, wanted, strict=False)
    first = next(((one, other) for one, other in pairs if one != other), None)
    text = f"{name}: {len(found)} rows in the table, {len(wanted)} of the vendor"
    return f"{text}; first of those that differ:\n  {first[0]}\n  {first[1]}" if first else text


# in the order in which they run
SCENARIOS: dict[str, Callable[[Scenarios], str]] = {
    "check": Scenarios.check,
    "full": Scenarios.full,
    "resync": Scenarios.resync,
    "quota hit": Scenarios.quota_hit,
    "restated days": Scenarios.restated_days,
    "by days": Scenarios.by_days,
    "empty day": Scenarios.empty_day,
}
