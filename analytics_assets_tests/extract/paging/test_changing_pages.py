"""Whatever an API does while it is read: the read fails, or it has exactly what the API had."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets_tests.extract.paging.orders_read import attempted
from analytics_assets_tests.support.paged_server import (
    Answer,
    Read,
    Request,
    drain,
    orders,
    serving,
    source_of,
)

URL = "http://model"
OFFSET = {"type": "offset", "limit": 2}
CHANGES = ["", "", "add", "delete", "swap", "restate"]
FAULTS = ["", "", "", "", "503", "404", "broken", "null", "failure", "empty", "ignored", "short"]
GIVEN = ["number", "text"]


@dataclass
class Step:
    """A change of rows and a fault at one request."""

    change: str = ""
    where: int = 0
    fault: str = ""
    total: str = "number"


class ChangingApi:
    """An API whose rows change between requests, and that misbehaves; after its script it rests.

    A row that is added, or changed, is one that never was before.
    """

    def __init__(self, size: int, cap: int, script: list[Step]) -> None:
        self._fresh = count()
        self.now: list[dict[str, int]] = []
        for _ in range(size):
            self._change(Step("add"))
        self._cap = cap
        self._script, self._fault = iter(script), ""
        self.states: list[list[dict[str, int]]] = []
        self.pass_began = self.changed = 0

    def __call__(self, asked: Request) -> Answer:
        assert len(self.states) < 200, "the read has no end"
        step = next(self._script, Step())
        if step.fault == self._fault == "404":
            step.fault = ""  # one that stays means that there is nothing
        self._fault = step.fault
        if self._change(step):
            self.changed = len(self.states)
        offset = asked.number("offset")
        if offset == 0:
            self.pass_began = len(self.states)
        self.states.append([*self.now])
        return self._answer(step, 0 if step.fault == "ignored" else offset, asked.number("limit"))

    def _change(self, step: Step) -> bool:
        place, new = step.where % (len(self.now) + 1), next(self._fresh)
        if step.change in ("delete", "swap"):
            del self.now[place : place + 1]
        if step.change in ("add", "swap"):
            there = len(self.now) - place if step.change == "swap" else place
            self.now.insert(there, {"id": new, "version": new})
        if step.change == "restate" and self.now[place:]:
            self.now[place] = {**self.now[place], "version": new}
        return bool(step.change)

    def _answer(self, step: Step, offset: int, limit: int) -> Answer:
        cap = {"short": 1, "empty": 0}.get(step.fault, self._cap)
        body: dict[str, Any] = {"data": self.now[offset : offset + min(limit, cap)]}
        totals = {"number": len(self.now), "text": str(len(self.now)), "null": None, "odd": "many"}
        # no one could tell an empty page without a total from the end
        total = "number" if step.fault in ("empty", "null") else step.total
        body |= {"total": totals[total]} if total in totals else {}
        spoilt: dict[str, Answer] = {
            "503": Answer({}, status=503),
            "404": Answer({}, status=404),
            "broken": Answer(b'{"data": ['),
            "null": Answer({**body, "data": None}),
            "failure": Answer({**body, "success": False}),
        }
        return spoilt.get(step.fault, Answer(body))


def scripts(
    changes: list[str], totals: list[str], faults: list[str] = FAULTS
) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        st.sampled_from(changes),
        st.integers(0, 9),
        st.sampled_from(faults),
        st.sampled_from(totals),
    )
    return st.lists(step, max_size=8)


SIZES, CAPS = st.integers(0, 8), st.integers(1, 4)
thorough = settings(max_examples=150, deadline=None, database=None)


def by_id(found: list[Any]) -> list[Any]:
    return sorted(found, key=lambda each: each["id"])


def drive(api: ChangingApi) -> list[Any] | None:
    return outcome(attempted(api, paginator={**OFFSET, "limit": 3}))


def outcome(attempt: Read) -> list[Any] | None:
    """The rows of a read, ordered by their key; None if it failed, and then without any."""
    assert not (attempt.error and attempt.rows)
    return None if attempt.error else by_id(attempt.rows)


def test_a_complete_read_is_what_the_api_has_if_it_rests_from_the_last_pass_on() -> None:
    complete = []

    @thorough
    @given(SIZES, CAPS, scripts(CHANGES, [*GIVEN, "null", "odd", "missing"]))
    def holds(size: int, cap: int, script: list[Step]) -> None:
        api = ChangingApi(size, cap, script)
        found = drive(api)
        if found is not None and api.changed <= api.pass_began:
            assert found == by_id(api.now)
            complete.append(api)

    holds()
    assert len(complete) > 10


@pytest.mark.parametrize("change", ["add", "delete"])
def test_rows_that_are_only_added_or_only_deleted_are_never_missed(change: str) -> None:
    # A row deleted and another added between two pages leave the total as it was. Only
    # `reading.confirm` finds that out, so this API never does both.
    complete = []

    @thorough
    @given(SIZES, CAPS, scripts(["", "", change, "restate"], GIVEN))
    def holds(size: int, cap: int, script: list[Step]) -> None:
        api = ChangingApi(size, cap, script)
        found = drive(api)
        if found is not None:
            states = api.states[api.pass_began :]
            assert [each["id"] for each in found] == [each["id"] for each in by_id(states[0])]
            assert all(any(each in state for state in states) for each in found)
            complete.append(api)

    holds()
    assert len(complete) > 10


@pytest.fixture
def confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING__CONFIRM", "true")
    monkeypatch.setenv("READING__PASSES", "4")


@pytest.mark.usefixtures("confirming")
def test_a_confirmed_read_is_what_the_api_had_at_one_moment_whatever_changed() -> None:
    complete = []

    @thorough
    @given(SIZES, CAPS, scripts(CHANGES, GIVEN))
    def holds(size: int, cap: int, script: list[Step]) -> None:
        api = ChangingApi(size, cap, script)
        found = drive(api)
        if found is not None:
            assert found == by_id(api.states[api.pass_began])
            complete.append(api)

    holds()
    assert len(complete) > 10


def slipping() -> ChangingApi:
    """An API that deletes its first row and adds a last one between the first two pages."""
    api = ChangingApi(6, 2, [Step(), Step("swap")])
    assert len(api.now) == 6
    return api


@pytest.mark.usefixtures("confirming")
def test_over_http_a_confirmed_read_finds_a_row_that_slipped_between_two_pages() -> None:
    api = slipping()
    with serving(api) as server:
        found = outcome(drain(source_of(server, orders()).resources["orders"]))

    assert found == by_id(api.now)


def test_without_confirmation_such_a_row_is_missed() -> None:
    api = slipping()
    found = drive(api)

    assert found
    assert by_id(api.now) != found


def test_over_http_a_row_that_comes_or_goes_between_two_pages_costs_another_pass() -> None:
    for step in (Step("add", where=0), Step("delete", where=0)):
        api = ChangingApi(6, 2, [Step(), step])
        with serving(api) as server:
            found = outcome(drain(source_of(server, orders()).resources["orders"]))

        assert found == by_id(api.now)
        assert api.pass_began > 0


def test_a_changed_row_has_the_state_of_either_moment() -> None:
    api = ChangingApi(6, 2, [Step(), Step("restate", where=0), Step("restate", where=5)])

    found = drive(api)

    assert found == by_id([api.states[0][0], *api.now[1:]])
