"""APIs of a project that Dagster or the command line would leave out: refused, with the remedy."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.orchestration.project import load_project

PROJECT = "layout_project"
PYPROJECT = f"""
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "{PROJECT}"
defs_module = "{PROJECT}.defs"
"""
API = """
import dagster as dg
from analytics_assets import Api, build_definitions

CLIENT = {{"base_url": "https://shop.example.com"}}
API = Api(name="{name}", config={{"client": CLIENT, "resources": ["orders"]}})
"""
DEFINITIONS = """

@dg.definitions
def definitions():
    return build_definitions(API)
"""

Load = Callable[[], list[str]]


@pytest.fixture
def defs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder `defs/` of a project of the test's own."""
    folder = tmp_path / PROJECT / "defs"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == PROJECT]:
        del sys.modules[name]


def load(defs: Path) -> list[str]:
    importlib.invalidate_caches()
    module: ModuleType = importlib.import_module(f"{PROJECT}.defs")
    definitions = load_project(defs, module)
    return [spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()]


def write(defs: Path, file: str, text: str) -> None:
    (defs / file).parent.mkdir(parents=True, exist_ok=True)
    (defs / file).write_text(text)


def refusal(defs: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load(defs)
    return str(refused.value)


def test_an_api_needs_no_init_file_and_any_name_of_its_folder(defs: Path) -> None:
    write(defs, "my-shop/api.py", API.format(name="shop") + DEFINITIONS)
    assert "shop/orders" in load(defs)


def test_an_api_without_definitions_is_refused(defs: Path) -> None:
    write(defs, "shop/api.py", API.format(name="shop"))
    assert refusal(defs) == (
        "The API `shop` has no definitions: its api.py needs a function with `@dg.definitions` "
        "that returns `build_definitions(API)`."
    )


@pytest.mark.parametrize("text", ["", API.format(name="shop").replace("API =", "SHOP =")])
def test_an_api_file_without_an_api_is_refused(defs: Path, text: str) -> None:
    write(defs, "shop/api.py", text)
    assert refusal(defs).startswith("shop/api.py has no `API`: set it to an `Api(...)`")


@pytest.mark.parametrize("file", ["shop.py", "shop/apy.py", "apis/shop/api.py"])
def test_an_api_in_another_place_is_refused_with_the_right_one(defs: Path, file: str) -> None:
    write(defs, file, API.format(name="shop") + DEFINITIONS)
    assert refusal(defs).endswith(
        f"{Path(file).name} describes the API `shop`, which commands do not find there: move it to "
        "defs/shop/api.py."
    )


def test_two_apis_of_one_name_are_refused_before_dagster_finds_two_jobs(defs: Path) -> None:
    for folder in ("shop", "store"):
        write(defs, f"{folder}/api.py", API.format(name="shop") + DEFINITIONS)
    assert refusal(defs) == "Two APIs in `defs/` have the name `shop`; rename one of them."


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ('@dg.asset(key=["mart", "sales"])\ndef mart(): ...', "asset `mart/sales`"),
        (
            '@dg.asset_check(asset="sales", name="unique")\ndef check(): ...',
            "asset check `sales/unique`",
        ),
        ('job = dg.define_asset_job("sales", "*")', "job, schedule or sensor `sales`"),
        ("@dg.sensor()\ndef sales(): ...", "job, schedule or sensor `sales`"),
    ],
)
def test_what_a_copied_folder_defines_again_is_named(defs: Path, text: str, twice: str) -> None:
    for folder in ("mart", "copied"):
        write(defs, f"{folder}/assets.py", f"import dagster as dg\n{text}\n")
    assert refusal(defs) == (
        f"Two files in `defs/` define the {twice}: rename one of the two, such as in a folder that "
        "was copied."
    )


@pytest.mark.parametrize(
    ("policy", "event"),
    [
        (
            '"schedule": "0 6 * *"',
            "`schedule` is '0 6 * *', which is not a cron exp",
        ),
        ('"schedule": "@dayly"', "day of week); did you mean `@daily`?"),
        (
            '"owners": ["me"]',
            "policy of `orders`: Dagster refuses `owners`: Invalid owner 'me'",
        ),
        ('"group": "my group"', 'Dagster refuses `group`: "my group" is not a valid'),
    ],
)
def test_what_dagster_refuses_has_the_line_of_the_policy(
    defs: Path, policy: str, event: str
) -> None:
    text = API.format(name="shop").replace("]})", f']}}, policies={{"orders": {{\n{policy}}}}})')
    write(defs, "shop/api.py", text + DEFINITIONS)
    line = text[: text.index(policy)].count("\n") + 1
    message = refusal(defs)
    assert message.startswith(f"shop/api.py, line {line}: ")
    assert event in message
