"""An API in YAML: the same API as in Python, and errors with the line of the file."""

from datetime import date, timedelta
from pathlib import Path

import dlt
import pytest

from analytics_assets import Api, Incremental, Partitioned, Window
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.orchestration.api_file import api_of, attributes_in, lines_of_entries

SHOP = """\
type: analytics_assets.RestApi
attributes:
  openapi: openapi.json
  client:
    base_url: "{{ dlt.config.value }}"
    headers: {X-Shop: "{{ env('SHOP_ID', '0123e4') }}", X-Day: 2026-01-31}
    auth: {type: bearer, token: "{{ dlt.secrets.value }}"}
  resource_defaults: {primary_key: id, write_disposition: merge}
  resources:
    - name: orders
      endpoint:
        path: /v1/{{ 'orders' }}
        paginator: {type: offset, limit: 100}
    - name: events
    - visits
  default_policy: {freshness: 3d, automation: on, max_runtime: 2h}
  policies:
    orders:
      load: {incremental: {param: since, initial_value: "2026-01-01T00:00:00Z", lookback: 90m}}
      alert: off
    events:
      load:
        partitioned: {by: day, start: 2026-01-01, window: {start_param: from, end_param: to}}
    visits: {load: full}
"""


def written(folder: Path, text: str) -> Path:
    """Write a file into the folder of an API."""
    file = folder / "shop" / "defs.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def api_in(folder: Path, text: str) -> Api:
    """Return the API that a text describes."""
    file = written(folder, text)
    attributes = attributes_in(file)
    assert attributes is not None
    return api_of(attributes, file)


def test_yaml_describes_the_api_that_python_does(tmp_path: Path) -> None:
    orders = {"path": "/v1/orders", "paginator": {"type": "offset", "limit": 100}}
    incremental = Incremental(
        param="since", initial_value="2026-01-01T00:00:00Z", lookback=timedelta(minutes=90)
    )
    by_day = Partitioned(
        by="day", start=date(2026, 1, 1), window=Window(start_param="from", end_param="to")
    )
    expected = Api(
        name="shop",
        file=str(tmp_path / "shop" / "defs.yaml"),
        openapi=str(tmp_path / "shop" / "openapi.json"),
        config={
            "client": {
                "base_url": dlt.config.value,
                "headers": {"X-Shop": "0123e4", "X-Day": "2026-01-31"},
                "auth": {"type": "bearer", "token": dlt.secrets.value},
            },
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [{"name": "orders", "endpoint": orders}, {"name": "events"}, "visits"],
        },
        default_policy={
            "freshness": timedelta(days=3),
            "automation": "on",
            "max_runtime": timedelta(hours=2),
        },
        policies={
            "orders": {"load": incremental, "alert": "off"},
            "events": {"load": by_day},
            "visits": {},
        },
    )

    assert api_in(tmp_path, SHOP).resources == expected.resources
    assert api_in(tmp_path, SHOP).config == expected.config
    assert api_in(tmp_path, SHOP).openapi == expected.openapi


def test_the_options_of_a_window_are_those_of_python(tmp_path: Path) -> None:
    options = (
        "window: {start_param: from, end_param: to, format: epoch_milliseconds, resolution: 1ms}, "
        "longest_request: 1"
    )
    text = SHOP.replace("window: {start_param: from, end_param: to}", options)

    load = api_in(tmp_path, text).resources["events"].policy.load

    assert isinstance(load, Partitioned)
    assert (load.window.resolution, load.longest_request) == (timedelta(milliseconds=1), 1)


def test_a_variable_of_the_environment_stays_a_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_ID", "007")

    assert api_in(tmp_path, SHOP).config["client"]["headers"]["X-Shop"] == "007"


MISTAKES = {
    "an attribute": ("  client:", "  clients:", 4, "API `shop`: unknown key 'clients'; did you"),
    "a key of an entry": ("paginator:", "pagnator:", 13, "unknown key 'pagnator'; did you mean"),
    "a key of a load": ("by: day", "from: day", 23, "`partitioned`: unknown key 'from'"),
    "no start": ("start: 2026-01-01, ", "", 23, "`partitioned` has no `start`; add it."),
    "no day": ("start: 2026-01-01", "start: soon", 23, "`start` is 'soon'; give a date such as"),
    "two loads": ("{load: full}", "{load: {full: {}, by: {}}}", 24, "`load` is {'full': {}, "),
    "no date": ("2026-01-31}", "2026-13-31}", 6, "`2026-13-31` is no date: month must be in"),
    "an endless span": (
        "lookback: 90m",
        "lookback: 9999999999999d",
        19,
        "longer than any span of time",
    ),
    "a span": ("lookback: 90m", "lookback: 90", 19, "`lookback` is 90; give a number and a unit"),
    "a value of a load": ("since, ", "2, ", 19, "`incremental`: `Incremental`: `param` cannot be"),
    "a policy": ("    visits: {", "    visit: {", 24, "policy of `visit`: there is no such"),
    "no options": ("load: full", "load: {full: 3}", 24, "`full` is a int; give options below it."),
    "a template": ("env('", "envi('", 6, "`X-Shop`: a template cannot be rendered: 'envi' is"),
    "no variable": (", '0123e4')", ")", 6, "`X-Shop`: the environment has no variable `SHOP_ID`"),
    "a time": ("2026-01-31}", "2026-01-31T00:00:00Z}", 6, "`X-Day` is a time without quotes"),
    "a setting in a text": (
        '"{{ env(',
        '"x{{ dlt.secrets.value }}{{ env(',
        6,
        "`X-Shop`: `dlt.secrets.value` must be the whole value, as a run looks it up",
    ),
    "no such setting": ("secrets.value", "secrets.vlaue", 7, "`token`: a template cannot be"),
    "a function": ("secrets.value", "secrets.get", 7, "{{ dlt.secrets.get }} is no value, but a"),
    "an expression": ("env('SHOP_ID', '0123e4')", "1 / 0", 6, "cannot be rendered: division by"),
    "an octal number": ("2026-01-31}", "0123}", 6, "`0123` without quotes is 83 in YAML."),
    "a time of day": ("2026-01-31}", "12:30:00}", 6, "`12:30:00` without quotes is 45000 in"),
    "a truth value": ("2026-01-31}", "no}", 6, "`no` without quotes is False in YAML. Write"),
    "a bracket": ("limit: 100}", "limit: 100", 14, "expected ',' or '}', but got"),
    "a key twice": (
        "    - visits",
        "    - name: a\n      name: b",
        16,
        "`name` stands there twice",
    ),
}


@pytest.mark.parametrize(("right", "wrong", "line", "event"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_yaml_is_named_with_its_line(
    tmp_path: Path, right: str, wrong: str, line: int, event: str
) -> None:
    assert right in SHOP
    with pytest.raises(ConfigurationError) as refused:
        api_in(tmp_path, SHOP.replace(right, wrong))

    assert str(refused.value).startswith(f"shop/defs.yaml, line {line}: ")
    assert event in str(refused.value)


def test_a_file_of_other_components_describes_no_api(tmp_path: Path) -> None:
    other = "type: dagster.DefsFolderComponent\n"
    assert attributes_in(written(tmp_path, other)) is None
    assert attributes_in(written(tmp_path, "")) is None

    beside = attributes_in(written(tmp_path, f"{other}---\n{SHOP}"))

    assert beside is not None
    assert beside["openapi"] == "openapi.json"


def test_two_apis_in_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"shop/defs.yaml describes 2 APIs; give each"):
        api_in(tmp_path, f"{SHOP}---\n{SHOP}")


def test_entries_have_the_lines_of_the_yaml_file(tmp_path: Path) -> None:
    assert lines_of_entries(str(written(tmp_path, SHOP))) == {
        "orders": 10,
        "events": 14,
        "visits": 15,
    }
