"""Templates of entries: filled by words, merged like defaults, refused by name."""

from datetime import date
from typing import Any

import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.entry.template import filled_templates
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.validation.entries import validate_entries
from analytics_assets.extract.source import rest_api_source

CLIENT = {"base_url": "https://api.example.com"}
REPORT: dict[str, Any] = {
    "primary_key": "$dimensions",
    "columns": {"$metrics": {"data_type": "bigint"}, "date": {"data_type": "date"}},
    "endpoint": {
        "path": "/v1/reports/${name}",
        "method": "POST",
        "data_selector": "$.rows",
        "params": {"fields": "${metrics:,}", "$$filter": "a eq $limit"},
        "json": {
            "dimensions": [{"name": "$dimensions"}],
            "metrics": ["date", "$metrics"],
            "orders": ["ga:$metrics"],
            "all": [{"of": ["$dimensions"]}],
            "limit": "$limit",
        },
    },
}
SESSIONS = {
    "template": "report",
    "name": "sessions",
    "dimensions": ["date", "country"],
    "metrics": ["sessions", "users"],
    "limit": 500,
}


def config(*entries: Any, **parts: Any) -> dict[str, Any]:
    return {"client": CLIENT, "templates": {"report": REPORT}, "resources": [*entries], **parts}


def filled(template: Any, **words: Any) -> Any:
    """Return the body of a request that a template describes."""
    templates = {"report": {"endpoint": {"json": template}}}
    entry = {"template": "report", "name": "sessions", **words}
    [plain] = filled_templates("API `shop`", config(entry, templates=templates))["resources"]
    return plain["endpoint"]["json"]


def refusal(*entries: Any, **parts: Any) -> str:
    with pytest.raises(ConfigurationError) as refused:
        Api(name="shop", config=config(*entries, **parts))
    return str(refused.value)


def test_an_entry_fills_the_words_of_its_template() -> None:
    [entry] = filled_templates("API `shop`", config(SESSIONS))["resources"]

    assert entry == {
        "name": "sessions",
        "primary_key": ["date", "country"],
        "columns": {
            "sessions": {"data_type": "bigint"},
            "users": {"data_type": "bigint"},
            "date": {"data_type": "date"},
        },
        "endpoint": {
            "path": "/v1/reports/sessions",
            "method": "POST",
            "data_selector": "$.rows",
            "params": {"fields": "sessions,users", "$filter": "a eq 500"},
            "json": {
                "dimensions": [{"name": "date"}, {"name": "country"}],
                "metrics": ["date", "sessions", "users"],
                "orders": ["ga:sessions", "ga:users"],
                "all": [{"of": ["date", "country"]}],
                "limit": 500,
            },
        },
    }


def test_templates_make_entries_that_the_api_and_the_source_know_as_plain_ones() -> None:
    api = Api(name="shop", config=config("orders", SESSIONS), policies={"sessions": {}})

    assert list(api.resources) == ["orders", "sessions"]
    assert api.resources["sessions"].primary_key == ("date", "country")
    assert "templates" not in api.config
    validate_entries(api)
    assert list(rest_api_source(config("orders", SESSIONS)).resources) == ["orders", "sessions"]


def test_a_configuration_without_templates_is_left_as_it_is() -> None:
    given = {"client": CLIENT, "resources": ["orders"]}
    assert filled_templates("API `shop`", given) is given


def test_keys_of_the_entry_are_merged_over_the_template_like_defaults() -> None:
    own = {
        "primary_key": "id",
        "columns": {"users": {"data_type": "double"}},
        "endpoint": {"method": "PUT", "json": {"limit": 7, "filter": {"a": "b"}}},
    }
    defaults = {"primary_key": "row", "max_table_nesting": 1, "endpoint": {"json": {"x": 1}}}
    api = Api(name="shop", config=config({**SESSIONS, **own}, resource_defaults=defaults))
    resource = api.resources["sessions"]

    assert resource.primary_key == ("id",)
    assert resource.merged_entry["max_table_nesting"] == 1
    assert resource.columns["users"] == {"data_type": "double"}
    assert resource.columns["sessions"] == {"data_type": "bigint"}
    assert (resource.endpoint["method"], resource.endpoint["path"]) == (
        "PUT",
        "/v1/reports/sessions",
    )
    body = resource.endpoint["json"]
    assert (body["x"], body["limit"], body["filter"]) == (1, 7, {"a": "b"})
    assert body["metrics"] == ["date", "sessions", "users"]


@pytest.mark.parametrize(
    ("template", "words", "value"),
    [
        ("$a", {"a": None}, None),
        ("$a", {"a": {"b": "$c"}}, {"b": "$c"}),  # a value is data, and not looked into
        (["x", "$a"], {"a": []}, ["x"]),
        ([{"n": "$a"}], {"a": []}, []),
        ([{"n": "$a", "m": "$b"}], {"a": [1, 2], "b": 3}, [{"n": 1, "m": 3}, {"n": 2, "m": 3}]),
        (["$a"], {"a": "one"}, ["one"]),
        ("${a}_${b:,}", {"a": True, "b": date(2026, 1, 31)}, "true_2026-01-31"),
        ("${a:, }", {"a": ["x", 2]}, "x, 2"),
        ("$$a $5 $ $.x $[*]", {}, "$a $5 $ $.x $[*]"),
        ({"a$a": "$a"}, {"a": ["x", "y"]}, {"ax": "x", "ay": "y"}),
        ({"n": 7, "f": len}, {}, {"n": 7, "f": len}),
    ],
)  # fmt: skip
def test_a_word_is_inserted_by_its_place(template: Any, words: Any, value: Any) -> None:
    assert filled({"it": template, "name": "$name"}, **words) == {"it": value, "name": "sessions"}


def test_a_secret_that_a_run_looks_up_is_kept_open() -> None:
    assert filled({"api_key": "$key"}, key=dlt.secrets.value)["api_key"] is dlt.secrets.value


@pytest.mark.parametrize(
    ("template", "words", "remedy"),
    [
        ("x$a", {"a": [1]}, "`a` is a list, which has no place within a text; write `${a:,}` to"),
        ("x$a", {"a": None}, "`a` is a NoneType, which has no place within a text; give a text"),
        ("x$a", {"a": dlt.secrets.value}, "`a` is a ConfigValueSentinel, which has no place"),
        ("${a:,}", {"a": [[1]]}, "`a` is a list, which has no place"),
        ([{"a": "$a", "b": "$b"}], {"a": [1], "b": [2]}, "an element mentions the lists `a`, `b`"),
    ],
)
def test_a_value_without_a_place_is_refused_by_its_word(
    template: Any, words: Any, remedy: str
) -> None:
    with pytest.raises(ConfigurationError, match="resource `sessions`, template `report`: ") as no:
        filled({"it": template}, **words)
    assert remedy in str(no.value)


def test_words_and_templates_that_do_not_fit_are_refused_by_name() -> None:
    without = {key: value for key, value in SESSIONS.items() if key != "metrics"}
    assert refusal({**without, "metrik": ["users"]}).startswith(
        "resource `sessions`: nothing in the template `report` uses `metrik`; did you mean "
        "`metrics`? Its words are `dimensions`, `metrics`, `limit`; an entry's own keys are "
    )
    assert refusal({**SESSIONS, "primary_kye": "id"}).startswith(
        "resource `sessions`: nothing in the template `report` uses `primary_kye`; did you mean "
        "`primary_key`?"
    )
    assert refusal(without) == (
        "resource `sessions`: the template `report` uses `$metrics`, which has no value. Add "
        '"metrics" to the entry; for a plain `$` write `$$` in the template.'
    )
    assert refusal({**SESSIONS, "template": "reprot"}) == (
        "resource `sessions`: `template` cannot be 'reprot', which `templates` does not have; did "
        "you mean `report`? Templates are `report`."
    )
    assert refusal({"template": "report"}).startswith("resource 1 of API `shop`: the template")


@pytest.mark.parametrize(
    ("templates", "begin"),
    [
        ({"report": {"endpont": {}}}, "template `report`: unknown key 'endpont'; did you mean"),
        ({"report": {"name": "a"}}, "template `report`: unknown key 'name'"),
        ({"report": ["a"]}, "template `report` is a list; give a dictionary."),
        (["report"], "`templates` of API `shop` is a list; give a dictionary of templates"),
        (None, "`templates` of API `shop` is a NoneType; give a dictionary of templates"),
        (
            {"report": {"columns": {"$dimensions": {}, "$limit": {}, "$metrics": {}}}},
            "resource `sessions`, template `report`: `limit` is a dict, which has no place",
        ),
        (
            {"report": {"table_name": "${columns}_x"}},
            "template `report` has the word `$columns`, but `columns` is a key of entries; give",
        ),
    ],
)
def test_a_wrong_template_is_refused(templates: Any, begin: str) -> None:
    words = {**SESSIONS, "limit": {}} if "`limit`" in begin else SESSIONS
    assert refusal(words, templates=templates).startswith(begin)


def test_a_part_of_a_filled_template_is_checked_like_that_of_a_plain_entry() -> None:
    wrong = {**REPORT, "endpoint": {**REPORT["endpoint"], "data_selektor": "rows"}}
    assert refusal(SESSIONS, templates={"report": wrong}).startswith(
        "`endpoint` of resource `sessions`: unknown key 'data_selektor'; did you mean"
    )
    assert "did you mean `templates`?" in refusal("orders", template={"report": REPORT})


def test_a_setting_within_a_template_stays_one() -> None:
    endpoint = {"path": "/$name", "params": {"site": dlt.config.value}}
    config = {
        "templates": {"report": {"endpoint": endpoint}},
        "resources": [{"template": "report", "name": "pages"}],
    }

    [pages] = filled_templates("API `shop`", config)["resources"]

    assert pages["endpoint"]["params"]["site"] is dlt.config.value
