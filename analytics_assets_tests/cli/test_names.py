"""Every command takes `shop`, `shop/orders` or nothing, with the same help and the same errors."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets import defs
from analytics_assets.cli.main import COMMANDS
from analytics_assets.cli.project import METAVAR, NAMES, load_apis, select_resources
from analytics_assets.config.api import Api
from analytics_assets.orchestration.project import NO_API
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.sandbox import Sandbox

CALLS = {name: (name,) for name in COMMANDS if name not in ("new", "state")} | {
    "export": ("export", "dbt"),
    "state export": ("state", "export", "state.json"),
}
EACH = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.fixture
def folder(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A `defs/` without an API."""
    place = clean_place / "defs"
    place.mkdir()
    monkeypatch.setattr(defs, "__path__", [str(place)])
    monkeypatch.setattr(defs, "__file__", str(place / "__init__.py"))
    yield place
    for name in [name for name in sys.modules if name.startswith(f"{defs.__name__}.broken")]:
        del sys.modules[name]


@EACH
def test_the_help_says_which_names_a_command_takes(invoke: Invoke, call: tuple[str, ...]) -> None:
    text = " ".join(invoke(*call, "--help").stdout.split())
    assert METAVAR in text
    assert NAMES in text


@EACH
def test_an_unknown_name_is_the_same_error(invoke: Invoke, call: tuple[str, ...]) -> None:
    done = invoke(*call, "analytics/page_vews")
    assert done.exit_code == 2
    assert (
        "no API or resource analytics/page_vews; did you mean `analytics/page_views`? There "
        in (done.stderr)
    )


@EACH
def test_without_any_api_a_command_says_how_to_make_one(
    invoke: Invoke, folder: Path, call: tuple[str, ...]
) -> None:
    done = invoke(*call, "shop") if call == ("alert",) else invoke(*call)
    assert done.exit_code == 1
    assert NO_API in done.stderr


@EACH
def test_an_api_that_is_broken_is_named_with_its_file_and_line(
    invoke: Invoke, folder: Path, call: tuple[str, ...]
) -> None:
    (folder / "broken").mkdir()
    (folder / "broken" / "__init__.py").touch()
    (folder / "broken" / "api.py").write_text("import dagster as dg\n\nAPI = Api(\n")
    done = invoke(*call)
    assert done.exit_code == 1
    assert "broken/api.py, line 3" in done.stderr
    assert "Traceback" not in done.output


def test_a_long_list_of_names_is_cut() -> None:
    entries = [{"name": f"r{number}", "endpoint": "x"} for number in range(40)]
    config = {"client": {"base_url": "https://api.example.com"}, "resources": entries}
    apis = {"shop": Api(name="shop", config=config)}
    with pytest.raises(Exception, match="shop/r18, shop/r19 and 20 more"):
        select_resources(apis, ["nothing"])


@pytest.mark.usefixtures("connected")
def test_a_contract_of_one_resource_has_its_changes_alone(
    invoke: Invoke, connected: Sandbox
) -> None:
    assert "analytics" in load_apis()
    done = invoke("contract", "analytics/page_views", "--check")
    assert done.exit_code == 0, done.output
    assert "no change" in done.stdout
