"""The lines of an API's entries, and errors of the file with their line."""

import runpy
from pathlib import Path
from traceback import format_exception
from typing import Any

import dagster as dg
import pytest
import requests

from analytics_assets.config import api as config_api
from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError, SettingsError
from analytics_assets.defs.analytics import api as analytics_api
from analytics_assets.orchestration.api_file import (
    ApiFile,
    errors_for_dagster,
    errors_located,
    lines_of_entries,
    user_error,
)
from analytics_assets.orchestration.api_file.files import is_users
from analytics_assets_tests.support.loading import failures_of, load
from analytics_assets_tests.support.paged_server import orders, paged, row, serving

SHOP = """from analytics_assets import Api, Incremental
NOTES = {"orders": "not the entry"}
LINES = {
    "name": "lines",
    "endpoint": {"path": "lines"},
}
API = Api(
    name="shop",
    config={
        "client": {"base_url": "https://shop.example.com"},
        "resource_defaults": {
            "primary_key": "id",
        },
        "resources": [
            "customers",
            {
                "name": "orders",
                "endpoint": {
                    "path": "orders",
                },
            },
            LINES,
            *({"name": name} for name in ("a", "b")),
        ],
    },
    default_policy={
        "schedule": "0 6 * * *",
    },
    policies={
        "orders": {
            "freshness": None,
        },
    },
)
"""


def line_with(text: str, part: str, place: int = 0) -> int:
    return [number for number, line in enumerate(text.splitlines(), 1) if part in line][place]


def test_entries_are_found_in_the_list_of_resources_alone() -> None:
    assert ApiFile(SHOP).entries == {
        "customers": line_with(SHOP, '"customers"'),
        "orders": line_with(SHOP, '"name": "orders"') - 1,
        "lines": line_with(SHOP, "LINES = {"),
    }


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("resource `orders`: unknown key 'path'; did you mean `name`?", '"path": "orders"'),
        ("dlt refuses the entry of `orders`: endpoint: field `path=7` is odd", '"path": "orders"'),
        ("policy of `orders`: `freshness` is None; give a timedelta", '"freshness"'),
        ("policy of `orders`: `schedule` cannot be 7: no text.", '"schedule"'),
        ("policy of `customers`: `schedule` cannot be 7: no text.", '"schedule"'),
        ("`resource_defaults`: unknown key 'primary_key'.", '"primary_key"'),
        ("`endpoint` of resource `lines`: unknown key 'paht'.", '"endpoint": {"path": "lines"}'),
        ("resource 1 of API `shop` is odd", '"customers"'),
        ("`client` of API `shop`: unknown key 'base_url'", '"base_url"'),
    ],
)
def test_the_line_of_an_error_is_that_of_the_part(message: str, part: str) -> None:
    assert ApiFile(SHOP).line_of(message) == line_with(SHOP, part)


def test_a_part_that_is_not_found_has_the_line_of_its_entry_or_none() -> None:
    file = ApiFile(SHOP)
    assert file.line_of("resource `customers`: no key") == line_with(SHOP, '"customers"')
    assert file.line_of("`Incremental`: `param` cannot be 7") is None
    assert file.line_of("resource `a`: no key") == line_with(SHOP, '"resource_defaults"')


def loaded(tmp_path: Path, text: str) -> Api:
    folder = tmp_path / "shop"
    folder.mkdir(exist_ok=True)
    (folder / "api.py").write_text(text)
    with errors_located():
        found: Any = runpy.run_path(str(folder / "api.py"))
    api: Api = found["API"]
    return api


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, text)
    return str(refused.value)


MANY = """API = Api(name="shop", config={"client": {}, "resources": [{
    "name": "orders",
    "columns": {
        "size": {"data_type": "integer"},
        "price": {
            "data_type": "money",
        },
        "day": {"data_type": "date"},
    },
}]})
"""


def test_the_key_to_which_most_words_lead_is_meant() -> None:
    message = "resource `orders`: `data_type` of `{}` in `columns` cannot be 'x'."
    assert ApiFile(MANY).line_of(message.format("size")) == line_with(MANY, '"size"')
    assert ApiFile(MANY).line_of(message.format("price")) == line_with(MANY, '"money"')


VALID = SHOP.replace('"freshness": None,', '"description": "Orders.",')


@pytest.mark.parametrize(
    ("right", "wrong", "event"),
    [
        ('"description": "Orders."', '"freshness": 7', "policy of `orders`: `freshness` is 7"),
        ('"primary_key": "id"', '"primary_keyy": "id"', "unknown key 'primary_keyy'"),
        ('"path": "orders"', '"pathh": "orders"', "unknown key 'pathh'"),
        ('"schedule": "0 6 * * *"', '"load": Incremental(initial_value=7)', "`Incremental`"),
    ],
)
def test_an_error_of_the_configuration_has_the_line_of_the_part(
    tmp_path: Path, right: str, wrong: str, event: str
) -> None:
    text = VALID.replace(right, wrong)

    found = refusal(tmp_path, text)

    assert found.startswith(f"shop/api.py, line {line_with(text, wrong)}: ")
    assert event in found


@pytest.mark.parametrize(
    ("right", "wrong", "line", "event"),
    [
        ('"lines",', '"lines" "x":', '"lines"', "Correct the syntax."),
        ('{"path": "lines"}', "{nothing}", "{nothing}", "NameError: name 'nothing' is not"),
        (
            'name="shop",',
            "name=date(2026),",
            "date(2026)",
            ": write `from datetime import date` above.",
        ),
        (
            'name="shop",',
            "name=Partitioned(),",
            "name=Partitioned",
            ": write `from analytics_assets import Partitioned` above.",
        ),
        ('{"path": "lines"}', '{}["path"]', '{}["path"]', "KeyError: 'path'."),
        ('name="shop",', 'nam="shop",', 'nam="shop"', "'nam'; did you mean `name`? Correct the"),
        (
            'name="shop",',
            'name="shop", tags={},',
            "tags={}",
            "'tags'; put `tags` into `default_poli",
        ),
        (
            'name="shop",',
            'name="shop", client={},',
            "client=",
            "'client'; put `client` into `config`.",
        ),
        ('{"path": "lines"}', "NOTE", ": NOTE,", "'NOTE' is not defined; did you mean `NOTES`?"),
        ('{"path": "lines"}', "Partitoned()", "Part", "; did you mean `Partitioned`? Correct the"),
        ('{"path": "lines"}', "NOTES.itms()", "itms", "no attribute 'itms'; did you mean `items`?"),
        ("import Api,", "import Apy,", "import Apy,", "ImportError: cannot import name 'Apy'"),
        ("import Api,", "import Apy,", "import Apy,", "; did you mean `Api`? Correct the line."),
        ("NOTES =", "import jsn; NOTES =", "jsn", "named 'jsn'; did you mean `json`? Correct"),
        (
            "NOTES =",
            "import os; os.environ['NO_KEY']; NOTES =",
            "NO_KEY",
            "KeyError: 'NO_KEY': the environment has no such variable. Set it, or write",
        ),
        (
            "NOTES =",
            "import dlt; dlt.secrets['no_key']; NOTES =",
            "no_key",
            "`no_key`. Write `dlt.secrets.value` or `dlt.config.value` in its place: each run",
        ),
    ],
)
def test_an_error_of_the_file_has_its_line(
    tmp_path: Path, right: str, wrong: str, line: str, event: str
) -> None:
    text = VALID.replace(right, wrong, 1)

    found = refusal(tmp_path, text)

    assert found.startswith(f"shop/api.py, line {line_with(text, line)}: ")
    assert event in found


def test_an_error_in_a_file_beside_it_has_the_line_there(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    helper = tmp_path / "shop" / "entries.py"
    for text, event in (("\nx = 1 +", "invalid syntax."), ("\nPAHT", "NameError: name 'PAHT'")):
        helper.write_text(text)
        found = refusal(tmp_path, f"import runpy\nrunpy.run_path({str(helper)!r})")
        assert found.startswith(f"shop/entries.py, line 2: {event}")


def test_a_file_of_this_name_in_a_package_is_not_the_users() -> None:
    assert not is_users(requests.api.__file__)
    assert not is_users(config_api.__file__)
    assert is_users(analytics_api.__file__)


def test_a_located_error_is_shown_by_dagster_alone(tmp_path: Path) -> None:
    with pytest.raises(dg.DagsterError) as shown, errors_for_dagster():
        loaded(tmp_path, VALID.replace('"path": "orders"', '"pathh": "orders"'))
    assert str(shown.value).startswith("shop/api.py, line ")
    assert "pathh" not in "".join(format_exception(shown.value)[:-1])
    with pytest.raises(ZeroDivisionError), errors_for_dagster():
        raise ZeroDivisionError


def test_errors_from_elsewhere_pass_unchanged() -> None:
    for error in (ZeroDivisionError("one"), SettingsError("two"), SyntaxError("three")):
        with pytest.raises(type(error), match=str(error)), errors_located():
            raise error


def test_an_error_of_a_function_of_the_file_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    file = tmp_path / "shop" / "api.py"
    file.write_text("def step(row):\n    return row['id']\n")
    step = runpy.run_path(str(file))["step"]
    with pytest.raises(KeyError) as raised:
        step({})
    wrapped = RuntimeError("the load failed")
    wrapped.__cause__ = raised.value

    assert user_error(wrapped) == "shop/api.py, line 2: KeyError: 'id'."
    assert user_error(ZeroDivisionError()) is None


def test_a_file_that_cannot_be_read_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text("(")
    assert lines_of_entries(str(tmp_path / "api.py")) == {}
    assert lines_of_entries(str(tmp_path / "none.py")) == lines_of_entries(None) == {}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_step_that_fails_in_a_load_is_named_with_its_line(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    (tmp_path / "shop").mkdir()
    file = tmp_path / "shop" / "api.py"
    file.write_text("def step(row):\n    return {**row, 'size': row['sizes']}\n")
    step = runpy.run_path(str(file))["step"]
    with serving(paged([row(1)])) as server:
        entry = orders({"write_disposition": "merge", "processing_steps": [{"map": step}]})
        config = {"client": {"base_url": server.base_url}, "resources": [entry]}
        policies: Any = {"orders": {"date_column": None}}
        failed = load(instance, "orders", api=Api(name="shop", config=config, policies=policies))

    assert failures_of(failed) == {
        "shop__orders": "orders was not loaded. step 1 of `processing_steps` raised KeyError for a "
        "row that fits the contract, in `step` at api.py:2. Correct the function."
    }
