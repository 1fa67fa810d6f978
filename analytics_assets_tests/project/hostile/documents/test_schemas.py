"""Schemas of a few KB that unfold into more parts than a computer can count."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.contract.drift import drift
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.resource import resources_of
from analytics_assets_tests.project.hostile.documents.documents import (
    LEAF,
    api_of,
    chain,
    document,
    quickly,
    reference,
)

PARTS = "unfolds into more than 200,000 parts"
ALL = [f"Any{number}" for number in range(12)]
FIRST = "`#/components/schemas/Link0`"
IN_ROW = {"type": "object", "properties": {"x": reference("Link0")}}


def twice(union: str) -> dict[str, Any]:
    """Schemas, each with the next one twice."""
    return chain(lambda next_link: {union: [next_link, next_link]})


def each_of_all(union: str) -> dict[str, Any]:
    """Schemas, each a union of all of them."""
    return {name: {union: [reference(other) for other in ALL]} for name in ALL}


BOMBS = [
    *(
        pytest.param(
            twice(union),
            row,
            f"the schema {FIRST} {PARTS}",
            id=f"2**40 schemas by `{union}` {where}",
        )
        for union in ("allOf", "anyOf", "oneOf")
        for row, where in ((reference("Link0"), "for the row"), (IN_ROW, "for a field"))
    ),
    *(
        pytest.param(
            each_of_all(union),
            reference("Any0"),
            f"the schema `#/components/schemas/Any0` {PARTS}",
            id=f"`{union}` of all schemas in all schemas",
        )
        for union in ("allOf", "anyOf", "oneOf")
    ),
    pytest.param(
        chain(lambda next_link: {"allOf": [next_link], "properties": {"a": next_link}}),
        reference("Link0"),
        PARTS,
        id="a field that each schema gives another schema",
    ),
    pytest.param(
        chain(lambda next_link: {"allOf": [{"oneOf": 2 * [next_link]}]}),
        reference("Link0"),
        f"the schema {FIRST} {PARTS}",
        id="unions in turns",
    ),
    pytest.param(
        chain(lambda next_link: next_link, 5_000),
        reference("Link0"),
        f"the schema {FIRST} has too many levels",
        id="a chain of 5,000 references",
    ),
    pytest.param(
        {"Link0": {"allOf": [reference("Link1")]}, "Link1": reference("Link1")},
        {"allOf": [reference("Link0")], "properties": {"a": reference("Link1")}},
        "",
        id="a reference to itself",
    ),
]


@pytest.mark.parametrize(("schemas", "row", "reason"), BOMBS)
def test_a_bomb_takes_the_contract_of_its_resource_alone(
    schemas: dict[str, Any],
    row: Any,
    reason: str,
    clean_place: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = clean_place / "shop.json"
    file.write_text(json.dumps(document(schemas, row)))

    with quickly(), caplog.at_level(logging.WARNING):
        found = resources_of(api_of(file, {"nested": "columns"}))

    problem = found["orders"].contract.problem or ""
    assert problem.startswith(f"{file}: the schema `#/components/schemas/") == bool(reason)
    assert reason in problem
    assert ("orders has no contract" in caplog.text) == bool(reason)
    assert [column.name for column in found["refunds"].contract.columns] == ["a"]


@pytest.mark.parametrize(
    "schemas",
    [
        pytest.param(
            chain(lambda next_link: {"properties": {f"p{n}": next_link for n in range(40)}}, 4),
            id="40**4 lists in a response",
        ),
        pytest.param(
            chain(lambda next_link: {"oneOf": [next_link, next_link], "type": "object"}),
            id="unions around the list of rows",
        ),
    ],
)
def test_a_response_that_unfolds_for_ever_has_no_contract(
    schemas: dict[str, Any], clean_place: Path
) -> None:
    found = document(schemas, LEAF)
    content = found["paths"]["/orders"]["get"]["responses"]["200"]["content"]
    content["application/json"]["schema"] = reference("Link0")
    file = clean_place / "shop.json"
    file.write_text(json.dumps(found))

    with quickly():
        contract = resources_of(api_of(file))["orders"].contract

    assert contract.columns == ()


def test_an_enumeration_of_100_000_values_is_compared_in_a_second(clean_place: Path) -> None:
    contracts = []
    for end in (100_000, 100_001):
        values = [f"value {number}" for number in range(end)]
        row = {"type": "object", "properties": {"a": {"enum": values}}}
        file = clean_place / f"{end}.json"
        file.write_text(json.dumps(document({}, row)))
        contracts.append(resources_of(api_of(file))["orders"].contract)

    with quickly():
        assert drift(*contracts) == ["`a` may be `value 100000` now"]
    assert len(contracts[0].columns[0].description or "") < 500


def test_a_path_of_many_parameters_is_compared_in_a_second() -> None:
    found = Endpoints({"openapi": "3.0.3", "paths": {f"/{'{a}' * 25}x": {"get": LEAF}}})

    with quickly():
        assert found.operation(f"/{'y' * 60}", "get") == {}
        assert found.operation(f"/{'y' * 60}x", "get") == LEAF


@pytest.mark.parametrize(
    ("template", "path", "fits"),
    [
        ("{a}", "x", True),
        ("{a}.json", "x.json", True),
        ("{a}.json", ".json", False),
        ("v{a}", "v1", True),
        ("v{a}", "v", False),
        ("{a}-{b}", "x-y", True),
        ("{a}-{b}", "x--y", True),
        ("{a}-{b}", "-y", False),
        ("{a}-{b}", "x-", False),
        ("{a}{b}", "x", False),
        ("{a}{b}", "xy", True),
        ("a{x}a", "aa", False),
        ("a{x}a", "aba", True),
    ],
)
def test_a_parameter_stands_for_one_letter_or_more(template: str, path: str, fits: bool) -> None:
    found = Endpoints({"openapi": "3.0.3", "paths": {f"/v/{template}": {"get": LEAF}}})

    assert bool(found.operation(f"/v/{path}", "get")) == fits


def test_an_honest_table_of_1_000_columns_has_its_contract(clean_place: Path) -> None:
    fields = {f"f{number}": {"allOf": [reference("Text")]} for number in range(1_000)}
    row = {"type": "object", "properties": {"a": {"type": "string"}, **fields}}
    file = clean_place / "shop.json"
    file.write_text(json.dumps(document({"Text": {"type": "string", "nullable": True}}, row)))

    assert len(resources_of(api_of(file))["orders"].contract.columns) == 1_001
