"""Texts that would take the memory, the time or the stack of the process that parses them."""

import json
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.document import (
    parse_document,
    read_document,
    store_document,
    stored_text,
)
from analytics_assets.contract.resource import resources_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.openapi import fetch_document
from analytics_assets_tests.project.hostile.documents.documents import (
    HEADER,
    api_of,
    document,
    quickly,
)
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

LEVELS = 100_000
LAUGHS = "".join(f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]\n" for n in range(1, 12))
MERGES = "".join(f"a{n}: &a{n} {{<<: [{','.join(9 * [f'*a{n - 1}'])}]}}\n" for n in range(1, 12))
NESTED = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 1_000))
ATTACKS = [
    pytest.param("[" * LEVELS, "line 1: more than 128 levels", id="100,000 open lists"),
    pytest.param(
        "[" * LEVELS + "]" * LEVELS, "line 1: more than 128 levels", id="100,000 lists in JSON"
    ),
    pytest.param(
        '{"a":\n' * LEVELS + "1" + "}" * LEVELS,
        "line 129: more than 128 levels",
        id="100,000 objects in JSON",
    ),
    pytest.param(
        json.dumps({"a": 1}) + "\n" + "- " * LEVELS, "line 2", id="lists behind a document"
    ),
    pytest.param(
        f"{HEADER}x: {'[' * LEVELS}",
        "line 3: more than 128 levels",
        id="100,000 lists of YAML in brackets, which end a process in PyYAML",
    ),
    pytest.param(
        f"{HEADER}x:\n{'- ' * LEVELS}",
        "line 4: more than 128 levels",
        id="100,000 lists of YAML in a line, which end a process in PyYAML",
    ),
    pytest.param(
        f"{HEADER}x:\n{'? ' * LEVELS}",
        "line 4: more than 128 levels",
        id="100,000 keys that are objects",
    ),
    pytest.param(
        f"{HEADER}x: &a\n  y: *a\n",
        "line 4: the alias `*a` stands within the part that it means",
        id="YAML that contains itself",
    ),
    pytest.param(
        f"{HEADER}a: &a [1]\nx: &a [*a, [*a]]\n",
        "line 4: the alias `*a` stands within the part that it means",
        id="YAML that contains itself under an anchor given twice",
    ),
    pytest.param(
        f"{HEADER}a0: &a0 [1]\n{LAUGHS}", "add more than 100,000 parts", id="a billion laughs"
    ),
    pytest.param(
        f"{HEADER}a0: &a0 {{x: 1}}\n{MERGES}",
        "add more than 100,000 parts",
        id="a billion laughs by merge keys",
    ),
    pytest.param(
        f"{HEADER}a0: &a0 [1]\n{NESTED}",
        "line 130: more than 128 levels",
        id="levels added by aliases",
    ),
    pytest.param(
        '{"openapi": "3.0.3",\n"paths": {},\n"paths": {"/a": {}}}',
        "line 3: the key `paths` occurs twice",
        id="a key twice in JSON",
    ),
    pytest.param(
        f"{HEADER}x:\n  date: 1\n  date: 2\n",
        "line 5: the key `date` occurs twice",
        id="a key twice in YAML",
    ),
    pytest.param(
        f'{{"openapi": "3.0.3",\n"x": {"9" * 5_000}}}',
        "line 2: a number of more than 1,000 digits",
        id="a number of 5,000 digits in JSON",
    ),
    pytest.param(
        f"{HEADER}x: {'9' * 5_000}",
        "line 3: a number of more than 1,000 digits",
        id="a number of 5,000 digits in YAML",
    ),
    pytest.param(
        f"openapi: 0x{'f' * 5_000}",
        "line 1: a number of more than 1,000 digits",
        id="a hexadecimal number that no text could show",
    ),
    pytest.param(
        f"{HEADER}x: {'1:' * 2_000_000}1",
        "line 3: a number of more than 1,000 digits",
        id="a number in base 60 that takes minutes",
    ),
    pytest.param(f"{HEADER}x: 2026-99-99", "line 3: month must be in 1..12", id="a day of no year"),
    pytest.param(
        f"{HEADER}x: !!python/object/apply:os.system [exit]",
        "line 3: could not determine a constructor",
        id="a command of Python in YAML",
    ),
    pytest.param(
        f"{HEADER}x: !!omap [a: !!set {{b}}]",
        "line 3: could not determine a constructor",
        id="a type of YAML that JSON does not have",
    ),
    pytest.param(HEADER + "x: '" + "a" * 70_000_000, "more than 64 MB", id="a text of 70 MB"),
]


@pytest.mark.parametrize(("text", "reason"), ATTACKS)
def test_a_file_is_refused_in_a_second_with_the_line(
    text: str, reason: str, clean_place: Path
) -> None:
    file = clean_place / "shop.yaml"
    file.write_text(text)

    with quickly(), pytest.raises(ContractError) as refusal:
        resources_of(api_of(file))

    assert str(refusal.value).startswith(str(file))
    assert reason in str(refusal.value)
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize(
    ("text", "reason"), [attack for attack in ATTACKS if len(str(attack.values[0])) < 1_000_000]
)
def test_a_response_is_refused_in_a_second_with_the_line(
    text: str, reason: str, connected: Sandbox
) -> None:
    connected.faults.add(Fault(path="/openapi.json", body=text))
    connection = connect(API.config["client"], API.name, single_attempt())

    with pytest.raises(ContractError) as refusal:
        fetch_document(connection, "/openapi.json")

    assert reason in str(refusal.value)
    assert connected.client_secret not in str(refusal.value)


@pytest.mark.parametrize(
    ("part", "stored"),
    [
        pytest.param('{"title": "\\ud800"}', "\ud800", id="half a character"),
        pytest.param('{"title": "\\u0000"}', "\0", id="a NUL"),
        pytest.param('{"title": Infinity}', float("inf"), id="infinity"),
    ],
)
def test_a_text_that_utf_8_cannot_have_is_stored_as_it_is(
    part: str, stored: Any, clean_place: Path
) -> None:
    file = clean_place / "openapi.json"
    store_document(
        parse_document(f'{{"openapi": "3.0.3", "info": {part}, "paths": {{}}}}', "it"), file
    )

    assert read_document(file)["info"]["title"] == stored


def test_a_date_as_a_name_is_stored_as_a_text() -> None:
    found = parse_document(f"{HEADER}info: {{2026-01-31: x}}", "it")

    assert json.loads(stored_text(found))["info"] == {"2026-01-31": "x"}


def test_aliases_and_depth_of_an_honest_document_are_read() -> None:
    honest = "openapi: 3.0.3\npaths: {/a: &a {x: 1}, /b: *a, /c: {<<: *a, y: 2}, /d: [*a, *a]}"

    assert parse_document(honest, "it")["paths"] == {
        "/a": {"x": 1},
        "/b": {"x": 1},
        "/c": {"x": 1, "y": 2},
        "/d": [{"x": 1}, {"x": 1}],
    }


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param(
            {
                "url": "/{a0}",
                "variables": {f"a{n}": {"default": f"{{a{n + 1}}}" * 9} for n in range(12)},
            },
            id="variables of variables, a billion laughs",
        ),
        pytest.param({"url": "http://[::1/v1"}, id="a bad IPv6 address"),
        pytest.param({"url": "//\ud800:x/"}, id="a port that is none"),
    ],
)
def test_the_url_of_a_server_is_a_text_alone(servers: Any, clean_place: Path) -> None:
    file = clean_place / "shop.json"
    found = document({}, {"type": "object", "properties": {"a": {"type": "string"}}})
    file.write_text(json.dumps({**found, "servers": [servers]}))

    with quickly():
        assert [each.contract.columns[0].name for each in resources_of(api_of(file)).values()]


def test_more_servers_than_an_api_has_are_refused(clean_place: Path) -> None:
    file = clean_place / "shop.json"
    servers = [{"url": f"/{number}"} for number in range(50_000)]
    file.write_text(json.dumps({**document({}, {}), "servers": servers}))

    with quickly(), pytest.raises(ContractError, match="`servers` have more than 100 paths"):
        resources_of(api_of(file))
