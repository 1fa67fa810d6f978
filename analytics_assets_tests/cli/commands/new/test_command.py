"""The command `new`: the folder that it writes, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analytics_assets import defs
from analytics_assets.cli.commands.new import command, folder
from analytics_assets.cli.commands.new.recipe import known_recipes
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.project import load_apis
from analytics_assets_tests.cli.commands.new.documents import (
    DAY,
    NUMBER,
    TEXT,
    TIME,
    array,
    body,
    document,
    get,
    in_path,
    query,
)
from analytics_assets_tests.cli.conftest import Invoke

LIMIT = query("limit", {"type": "integer", "maximum": 200})
ORDER = {"id": NUMBER, "updated_at": TIME, "customer": {"type": "object"}}
PATHS = {
    "/orders": get(
        body(data=array(ORDER), total=NUMBER),
        *(LIMIT, query("offset", NUMBER), query("updated_since", TIME)),
        summary="Orders of the shop",
    ),
    "/orders/{order_id}/lines": get(array({"number": NUMBER, "sku": TEXT}), in_path("order_id")),
    "/visits": get(
        body(data=array({"id": NUMBER, "date": DAY})),
        *(LIMIT, query("page", NUMBER), query("from", DAY), query("to", DAY)),
    ),
    "/me": get(body(id=NUMBER, name=TEXT)),
}
SCHEMES = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
DOCUMENT = document(PATHS, components=SCHEMES, security=[{"token": []}])


@pytest.fixture
def file(clean_place: Path) -> Path:
    """A document of a shop."""
    place = clean_place / "shop.json"
    place.write_text(json.dumps(DOCUMENT))
    return place


def test_a_document_becomes_a_folder_whose_definitions_load(
    invoke: Invoke, project: Path, file: Path
) -> None:
    done = invoke("new", "shop", "--openapi", str(file))

    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in (project / "shop").iterdir()) == [
        *("__init__.py", "api.py", "openapi.json"),
    ]
    api = load_apis(defs)["shop"]
    assert [*api.resources] == ["orders", "lines", "visits"]
    assert api.resources["lines"].endpoint["path"] == "/orders/{resources.orders.id}/lines"
    assert type(api.resources["orders"].policy.load).__name__ == "Incremental"
    assert type(api.resources["visits"].policy.load).__name__ == "Full"


@pytest.mark.parametrize("path", ["/a{", "/}{", "/a}"])
def test_a_path_that_no_request_can_have_is_left_out_with_the_reason(
    invoke: Invoke, project: Path, file: Path, path: str
) -> None:
    odd = {**PATHS, path: get(array({"id": NUMBER}))}
    file.write_text(json.dumps({**DOCUMENT, "paths": odd}))
    done = invoke("new", "shop", "--openapi", str(file))

    assert done.exit_code == 0, done.output
    assert "in format string" in done.output
    assert [*load_apis(defs)["shop"].resources] == ["orders", "lines", "visits"]
    build_definitions(load_apis(defs)["shop"])


def test_a_refused_resource_with_all_others_below_it_is_an_error(
    invoke: Invoke, project: Path, file: Path
) -> None:
    odd = {
        "/}orders": get(array({"id": NUMBER})),
        "/}orders/{order_id}/lines": get(array({"number": NUMBER}), in_path("order_id")),
    }
    file.write_text(json.dumps({**DOCUMENT, "paths": odd}))
    done = invoke("new", "shop", "--openapi", str(file))

    assert done.exit_code == 1
    assert "in format string" in done.output
    assert not list(project.iterdir())


@pytest.mark.parametrize("items", [{"type": "object"}, TEXT])
def test_a_document_steers_no_terminal(
    invoke: Invoke, project: Path, file: Path, items: dict[str, Any]
) -> None:
    odd = {"/\x1b[2J\u202e": get({"type": "array", "items": items})}
    file.write_text(json.dumps({**DOCUMENT, "paths": odd}))
    done = invoke("new", "shop", "--openapi", str(file))

    assert done.exit_code == (0 if items == {"type": "object"} else 1)
    assert not {"\x1b", "\u202e"}.intersection(done.output)


def test_the_terminal_shows_what_was_taken_what_was_not_and_what_comes_next(
    invoke: Invoke, project: Path, file: Path
) -> None:
    lines = invoke("new", "shop", "--openapi", str(file)).stdout.splitlines()

    assert [" ".join(line.split()) for line in lines] == [
        f"Reading {file} ...",
        "resource path rows key pages columns checked not checked guesses",
        "orders /orders data id offset 2 1: customer 1",
        "lines /orders/{order_id}/lines the body _orders_id, number single_page 2 1",
        "visits /visits data id page_number 2 1",
        "Left out: 1 path",
        "1: it answers with one object, no list (/me)",
        "Wrote defs/shop/api.py with 3 resources.",
        "4 guesses to confirm: look for `# check:` in api.py.",
        "Write into .dlt/secrets.toml:",
        "[sources.shop]",
        'token = "..."',
        "Next:",
        "analytics-assets check shop",
        "analytics-assets preview shop",
        "analytics-assets materialize shop",
    ]


def test_the_written_file_is_formatted_typed_and_linted_as_the_repositorys_own(
    invoke: Invoke, project: Path, file: Path
) -> None:
    invoke("new", "shop", "--openapi", str(file))
    written = str(project / "shop" / "api.py")
    ruff = [sys.executable, "-m", "ruff"]
    rules = ["--select", "D,E,F,I,N,RUF,S,SIM,UP,W"]
    own = [
        "lint.pydocstyle.convention='google'",
        "lint.isort.known-first-party=['analytics_assets']",
    ]
    options = ["--isolated", "--line-length", "100"]
    layout = [*ruff, "format", "--diff", *options, written]
    lint = [
        *ruff,
        "check",
        *rules,
        *options,
        *(part for each in own for part in ("--config", each)),
    ]

    assert subprocess.run(layout, capture_output=True, text=True).stdout == ""
    done = subprocess.run([*lint, written], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("My Shop", "Call it 'my_shop'"),
        ("import", "call it 'import_api'"),
        ("a__b", "Call it 'a_b'"),
        ("../shop", "Call it 'shop'"),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(
    invoke: Invoke, project: Path, file: Path, name: str, reason: str
) -> None:
    done = invoke("new", name, "--openapi", str(file))

    assert done.exit_code == 2
    assert reason in done.output
    assert [*project.iterdir()] == []


def test_a_folder_that_is_there_stays_as_it_is(invoke: Invoke, project: Path, file: Path) -> None:
    (project / "shop").mkdir()
    (project / "shop" / "api.py").write_text("mine")
    done = invoke("new", "shop", "--openapi", str(file))

    assert done.exit_code == 1
    assert "defs/shop is already there, and stays as it is. Choose another name" in done.output
    assert (project / "shop" / "api.py").read_text() == "mine"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("no space left on device")])
def test_a_command_that_ends_early_leaves_nothing_behind(
    invoke: Invoke,
    project: Path,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(command, "python_file", fail)
    done = invoke("new", "shop", "--openapi", str(file))

    assert done.exit_code != 0
    assert [*project.iterdir()] == []


def test_a_folder_that_cannot_be_written_is_named(
    invoke: Invoke, project: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defs, "__path__", [str(project / "missing")])
    done = invoke("new", "shop", "--openapi", str(file))

    assert done.exit_code == 1
    assert f"{folder.folder_of('shop')} cannot be written: No such file or directory" in done.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--openapi", "nowhere.json"], "There is no file nowhere.json. Give `--openapi` the"),
        (["--openapi", "ftp://example.com/a"], "a URL of http or https, and not of ftp"),
        (["--openapi", "."], "is a folder"),
        (["--openapi", "shop.json", "--recipe", "seed"], "not both"),
        (["--openapi", "shop.json", "--only", "ordres"], "did you mean `orders`?"),
        (["--openapi", "shop.json", "--only", "/me"], "it answers with one object"),
        (["--openapi", "shop.json", "--param", "owner"], "give NAME=VALUE"),
        (["--recipe", "sede"], "did you mean `seed`?"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    invoke: Invoke, project: Path, file: Path, arguments: list[str], reason: str
) -> None:
    done = invoke("new", "shop", *arguments)

    assert done.exit_code in (1, 2)
    assert reason in " ".join(done.output.split())
    assert [*project.iterdir()] == []


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("orders", ["orders"]),
        ("/visits,orders", ["orders", "visits"]),
        ("/orders*", ["orders", "lines"]),
        ("*s", ["orders", "lines", "visits"]),
    ],
)
def test_names_paths_and_patterns_select(
    invoke: Invoke, project: Path, file: Path, only: str, names: list[str]
) -> None:
    assert invoke("new", "shop", "--openapi", str(file), "--only", only).exit_code == 0
    assert [*load_apis(defs)["shop"].resources] == names


def test_a_recipe_is_copied_under_the_new_name(invoke: Invoke, project: Path) -> None:
    done = invoke("new", "shop", "--recipe", "seed")

    assert done.exit_code == 0, done.output
    assert "Wrote defs/shop/, a copy of the recipe `seed`." in done.output
    assert 'client_secret = "..."' in done.output
    assert "analytics-assets check shop" in done.output
    assert [*load_apis(defs)] == ["shop"]
    assert not (project / "shop" / "README.md").exists()


def test_every_recipe_loads_under_a_name_of_the_users(invoke: Invoke, project: Path) -> None:
    names = {f"my_{vendor}": vendor for vendor in known_recipes()}
    for name, vendor in names.items():
        done = invoke("new", name, "--recipe", vendor)
        assert done.exit_code == 0, done.output
        assert ' = "' in done.output, "its settings are missing"
        assert "sources.shop" not in done.output
        assert ".dlt/secrets.toml" in done.output
        assert "the name of your API" not in done.output

    assert sorted(load_apis(defs)) == sorted(names)


def test_yaml_describes_the_same_api(invoke: Invoke, project: Path, file: Path) -> None:
    done = invoke("new", "shop", "--openapi", str(file), "--yaml")

    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in (project / "shop").iterdir()) == [
        *("__init__.py", "defs.yaml", "openapi.json"),
    ]
    assert [*load_apis(defs)["shop"].resources] == ["orders", "lines", "visits"]
