"""Offsets, limits, page numbers and cursors at any place of a request, with the same rows."""

from collections.abc import Callable
from typing import Any

import pytest

from analytics_assets.config.entry.place import EMPTY, Place
from analytics_assets.config.errors import ConfigurationError
from analytics_assets_tests.extract.paging.page_requests.forty_orders import ALL, NUMBERS
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Request,
    attempted,
    in_turn,
    page,
    read,
)

PLACES: dict[str, Callable[[str], str]] = {
    "query": lambda name: name,
    "query of a prefixed name": lambda name: f"params.json.{name}",
    "JSON": lambda name: f"json.queries[0].{name}",
    "form": lambda name: f"data.page[{name}]",
    "header": lambda name: f"headers.X-{name}",
}
GIVEN: dict[str, dict[str, Any]] = {
    "query": {"params": {"kind": "all"}},
    "query of a prefixed name": {},
    "JSON": {"json": {"queries": [{"metrics": ["views"]}], "keep": {"a": [1]}}},
    "form": {"data": {"kind": "all"}},
    "header": {"headers": {"X-Kind": "all"}},
}


def found(asked: Request, name: str) -> Any:
    """The value at a place of a request; None if there is none."""
    form = asked.headers.get("content-type") == "application/x-www-form-urlencoded"
    body = {"data": asked.form} if form else {"json": asked.body}
    value = Place.of(name).value_in({"params": asked.query, "headers": asked.headers, **body})
    return None if value is EMPTY else value


def by_offset(place: Callable[[str], str]) -> Answers:
    def answer(asked: Request) -> Answer:
        start, limit = int(found(asked, place("offset"))), int(found(asked, place("limit")))
        return Answer({"data": ALL[start : start + limit], "total": len(ALL)})

    return answer


def by_number(place: Callable[[str], str]) -> Answers:
    def answer(asked: Request) -> Answer:
        number = int(found(asked, place("page")))
        return Answer({"data": ALL[7 * number - 7 : 7 * number], "total": 6})

    return answer


def by_cursor(place: Callable[[str], str]) -> Answers:
    def answer(asked: Request) -> Answer:
        start = int(found(asked, place("after")) or 0)
        following = start + 7 if start + 7 < len(ALL) else None
        return Answer({"data": ALL[start : start + 7], "next_cursor": following})

    return answer


def paginator(kind: str, place: Callable[[str], str]) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "offset": {
            "type": "offset",
            "limit": 7,
            "offset_param": place("offset"),
            "limit_param": place("limit"),
        },
        "page_number": {"type": "page_number", "base_page": 1, "page_param": place("page")},
        "cursor": {
            "type": "cursor",
            "cursor_path": "next_cursor",
            "cursor_param": place("after"),
        },
    }
    return kinds[kind]


ANSWERS = {"offset": by_offset, "page_number": by_number, "cursor": by_cursor}


@pytest.mark.parametrize("in_flight", ["1", "16"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("kind", ANSWERS)
def test_all_rows_arrive_by_parameters_at_any_place(
    kind: str, where: str, method: str, in_flight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", in_flight)
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    place, given = PLACES[where], GIVEN[where]
    attempt = read(
        *(ANSWERS[kind](place),), method=method, paginator=paginator(kind, place), **given
    )
    assert attempt.rows == ALL
    assert {asked.method for asked in attempt.requests} == {method}
    for asked in attempt.requests:
        assert not [name for name in asked.query if "query" not in where]
        if where == "JSON":
            assert asked.body["keep"] == {"a": [1]}
            assert asked.body["queries"][0]["metrics"] == ["views"]
        if where == "form":
            assert asked.form["kind"] == "all"
        if where == "header":
            assert asked.headers["x-kind"] == "all"


@pytest.mark.parametrize("where", ["query", "JSON", "form"])
def test_a_count_that_is_the_size_of_a_page_is_no_total_wherever_the_size_is_sent(
    where: str,
) -> None:
    place = PLACES[where]

    def answer(asked: Request) -> Answer:
        start, limit = int(found(asked, place("offset"))), int(found(asked, place("limit")))
        return Answer({"data": ALL[start : start + limit], "count": limit})

    paging = {**paginator("offset", place), "limit": 50}
    assert read(answer, method="POST", paginator=paging).rows == ALL


@pytest.mark.parametrize(("as_text", "kind"), [(False, int), (True, str)])
@pytest.mark.parametrize("name", ["offset", "limit"])
def test_numbers_in_json_are_numbers_unless_the_api_wants_texts(
    name: str, as_text: bool, kind: type
) -> None:
    place = PLACES["JSON"]
    paging = {**paginator("offset", place), "as_text": as_text}
    attempt = read(by_offset(place), method="POST", paginator=paging)
    assert {type(found(asked, place(name))) for asked in attempt.requests} == {kind}


def test_an_entry_is_the_same_after_a_read_and_the_first_page_is_without_a_cursor() -> None:
    given = {"queries": [{"after": None}]}
    place = PLACES["JSON"]
    attempt = read(
        by_cursor(place), method="POST", json=given, paginator=paginator("cursor", place)
    )
    assert given == {"queries": [{"after": None}]}
    assert [found(asked, place("after")) for asked in attempt.requests] == [None, 7, 14, 21, 28, 35]


def test_each_pass_begins_with_the_first_page_again() -> None:
    place = PLACES["JSON"]
    answers = in_turn(
        *(page(1, 2, total=3), page(3, total=4)), *(page(1, 2, total=3), page(3, total=3))
    )
    paging = {**paginator("offset", place), "limit": 2}
    attempt = read(answers, method="POST", paginator=paging)
    assert attempt.numbers == [1, 2, 3]
    assert [found(asked, place("offset")) for asked in attempt.requests] == [0, 2, 0, 2]


def test_a_redirect_and_a_retry_repeat_the_body() -> None:
    place = PLACES["JSON"]
    rows = by_offset(place)
    failed = set[Any]()

    def answer(asked: Request) -> Answer:
        key = asked.path, found(asked, place("offset"))
        if key not in failed:
            failed.add(key)
            return Answer({}, status=503, headers={"Retry-After": "0"})
        if asked.path == "/orders":
            return Answer({}, status=307, headers={"Location": "/moved"})
        return rows(asked)

    attempt = read(answer, method="POST", paginator=paginator("offset", place))
    assert attempt.rows == ALL


def test_the_places_of_the_next_pages_are_requested_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    offsets = {}
    for where in ("query", "JSON", "form"):
        place = PLACES[where]
        attempt = read(by_offset(place), method="POST", paginator=paginator("offset", place))
        offsets[where] = sorted(int(found(asked, place("offset"))) for asked in attempt.requests)
    assert offsets["query"] == offsets["JSON"] == offsets["form"] == sorted(NUMBERS)[::7]


@pytest.mark.parametrize("where", PLACES)
def test_the_probe_far_beyond_the_end_is_at_the_place_of_the_offset(where: str) -> None:
    place, last = PLACES[where], ALL[35:]

    def answer(asked: Request) -> Answer:  # repeats its last page for ever
        start = int(found(asked, place("offset")))
        return Answer({"data": ALL[start : start + 7] if start < 35 else last})

    paging = paginator("offset", place)
    attempt = read(answer, method="POST", paginator=paging, **GIVEN[where])
    assert attempt.rows == ALL
    offsets = [int(found(asked, place("offset"))) for asked in attempt.requests]
    assert max(offsets) > 2 * len(ALL)  # pages that were requested ahead may be answered after it


@pytest.mark.parametrize(
    ("paging", "given", "reason"),
    [
        (
            {"type": "offset", "limit": 2, "offset_param": "json.page.offset"},
            {"json": {"page": 1}},
            "`paginator` writes into `json` of the request: `json.page` is a number",
        ),
        (
            {"type": "page_number", "page_param": "data.page"},
            {"json": {"a": 1}},
            "`paginator` makes a request with both a JSON body and a form",
        ),
        (
            {"type": "page_number", "page_param": "json.a..b"},
            {},
            "`page_param` in `paginator` cannot be 'json.a..b': `a..b` is no path",
        ),
        (
            {"type": "offset", "limit": 2, "offset_body_path": "a", "as_text": True},
            {},
            '`as_text` in `paginator` does not apply to `offset_body_path`: write "offset_param": '
            '"json.a" in its place',
        ),
        ({"type": "page_number", "as_text": "yes"}, {}, "`as_text` in `paginator` is 'yes'"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(
    paging: dict[str, Any], given: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        attempted(in_turn(), paginator=paging, **given)
    assert reason in str(caught.value)
