"""Places in a request: how they are written, found and filled."""

from typing import Any

import pytest

from analytics_assets.config.entry.place import EMPTY, Place, PlaceError, literal, placed


@pytest.mark.parametrize(
    ("name", "part", "path"),
    [
        ("start", "params", ("start",)),
        ("created[gte]", "params", ("created[gte]",)),
        ("filter.from", "params", ("filter.from",)),
        ("json", "params", ("json",)),
        ("params.json.x", "params", ("json.x",)),
        ("params.params.x", "params", ("params.x",)),
        ("json.after", "json", ("after",)),
        ("json.dateRanges[0].startDate", "json", ("dateRanges", 0, "startDate")),
        ("json.range[1]", "json", ("range", 1)),
        ("json.a[0][12].b-c d", "json", ("a", 0, 12, "b-c d")),
        ("json.0", "json", ("0",)),
        ("data.filter[from]", "data", ("filter[from]",)),
        ("headers.X-From", "headers", ("X-From",)),
    ],
)
def test_a_name_is_a_place_by_its_prefix(name: str, part: str, path: tuple[Any, ...]) -> None:
    place = Place.of(name)
    assert (place.part, place.path) == (part, path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("json.", "names nothing behind `json.`"),
        ("headers. ", "names nothing behind `headers.`"),
        ("headers.X From", "`X From` is no name of a header"),
        ("headers.X:\r\nCookie", "is no name of a header"),
        ("json.a..b", "`a..b` is no path in a JSON body"),
        ("json.[0]", "is no path"),
        ("json.a[x]", "is no path"),
        ("json.a[-1]", "is no path"),
        ("json.a[0]b", "is no path"),
        ("json.a[99999]", "is no path"),
        ("json.a.", "is no path"),
    ],
)
def test_a_name_that_is_no_place_is_refused(name: str, reason: str) -> None:
    with pytest.raises(PlaceError) as caught:
        Place.of(name)
    assert reason in str(caught.value)


def test_values_are_put_beside_what_is_there_and_leave_it_as_it_is() -> None:
    given = {
        "params": {"page": 1},
        "json": {"metrics": [{"name": "views"}], "dateRanges": [{"name": "now"}]},
        "headers": {"x-from": "a"},
    }
    before = repr(given)
    found = placed(
        given,
        {
            "json.dateRanges[1].startDate": "c",
            "json.dateRanges[0].startDate": "a",
            "json.dateRanges[0].endDate": "b",
            "json.span[1]": "until",
            "json.span[0]": "from",
            "headers.X-From": 5,
            "data.a": 1,
            "b[]": [1, 2],
        },
    )
    assert found == {
        "params": {"page": 1, "b[]": [1, 2]},
        "json": {
            "metrics": [{"name": "views"}],
            "dateRanges": [
                {"name": "now", "startDate": "a", "endDate": "b"},
                {"startDate": "c"},
            ],
            "span": ["from", "until"],
        },
        "headers": {"x-from": "5"},
        "data": {"a": 1},
    }
    assert repr(given) == before


@pytest.mark.parametrize(
    ("request_", "name", "reason"),
    [
        ({"json": {"a": 1}}, "json.a.b", "`json.a` is a number"),
        ({"json": {"a": {"b": []}}}, "json.a.b.c", "`json.a.b` is a list"),
        ({"json": {"a": {}}}, "json.a[0]", "`json.a` is an object"),
        ({"json": {"a": [1]}}, "json.a[2]", "a gap at [1]"),
        ({"json": {"a": [{}, 7]}}, "json.a[1].b", "`json.a[1]` is a number"),
        ({"data": "a=1"}, "data.b", "`data` is a text"),
    ],
)
def test_nothing_that_is_on_the_way_is_overwritten(
    request_: dict[str, Any], name: str, reason: str
) -> None:
    with pytest.raises(PlaceError) as caught:
        placed(request_, {name: "x"})
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("json.a[0].b", None),
        ("json.a[1].b", EMPTY),
        ("json.a.b", EMPTY),
        ("json.c", EMPTY),
        ("headers.x-key", "k"),
        ("q", "1"),
        ("data.q", EMPTY),
    ],
)
def test_a_value_is_found_at_its_place(name: str, value: Any) -> None:
    parts = {"json": {"a": [{"b": None}]}, "headers": {"X-Key": "k"}, "params": {"q": "1"}}
    assert Place.of(name).value_in({**parts, "data": None}) is value


def test_names_of_one_place_are_known_as_such() -> None:
    assert Place.of("headers.X-From").is_at(Place.of("headers.x-from"))
    assert Place.of("start").is_at(Place.of("params.start"))
    assert not Place.of("json.start").is_at(Place.of("json.Start"))
    assert not Place.of("start").is_at(Place.of("data.start"))


def test_braces_of_a_value_survive_the_texts_of_dlt() -> None:
    given = {"a": ['{"field": "{start}"}', 5], "{b}": None}
    assert literal(given) == {"a": ['{{"field": "{{start}}"}}', 5], "{{b}}": None}
