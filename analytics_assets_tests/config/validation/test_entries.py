from typing import Any

import dlt
import pytest
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api.config_setup import PAGINATOR_MAP, register_paginator

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.validation import entries
from analytics_assets.config.validation.entries import OF_ANY_TEXT, validate_entries
from analytics_assets.config.validation.structure import refuse_wrong_structure

REFUSED: dict[str, dict[str, Any]] = {
    "method": {"endpoint": {"path": "/v1/orders", "method": "FETCH"}},
    "paginator": {"endpoint": {"path": "/v1/orders", "paginator": "ofset"}},
    "paginator without its size": {
        "endpoint": {"path": "/v1/orders", "paginator": {"type": "offset"}}
    },
    "parameter's type": {"endpoint": {"path": "/v1/orders", "params": {"a": {"type": "b"}}}},
    "placeholder of a parameter": {"endpoint": {"path": "/v1/orders", "params": {"a": "{b}"}}},
    "placeholder of the body": {
        "endpoint": {"path": "/v1/orders", "method": "POST", "json": {"a": ["{b}"]}}
    },
    "placeholder of the path": {"endpoint": {"path": "/v1/orders/{key}"}},
    "bare path": {"endpoint": "/v1/orders/{key}"},
    "key": {"primary_key": 7},
    "name of the table": {"table_name": 7},
    "step": {"processing_steps": [{"fliter": len}]},
}


def entry(name: str, **parts: Any) -> dict[str, Any]:
    return {"name": name, "endpoint": {"path": f"/v1/{name}"}, **parts}


def shop(*given: Any, **client: Any) -> Api:
    return Api(
        name="shop",
        config={
            "client": {"base_url": "https://api.example.com", **client},
            "resources": list(given),
        },
    )


def test_entries_are_validated_without_settings_and_without_requests() -> None:
    oauth2 = {"type": "oauth2"}
    resources = ["customers", entry("orders"), entry("lines", endpoint={"auth": oauth2})]
    validate_entries(shop(*resources, base_url=dlt.config.value, auth=oauth2))


@pytest.mark.parametrize("what", REFUSED)
def test_an_entry_that_dlt_refuses_is_named_though_others_look_like_it(what: str) -> None:
    others = [
        "customers",
        entry("articles"),
        entry("lines", primary_key="id", table_name="order_lines"),
        entry("reviews", endpoint={"path": "/v1/reviews", "method": "POST"}),
        entry("reports", endpoint={"path": "/v1", "method": "POST", "json": {"a": ["b"]}}),
        entry("returns", endpoint={"path": "/v1/returns", "params": {"a": "b"}}),
    ]
    validate_entries(shop(*others))
    with pytest.raises(
        ConfigurationError, match=r"^(dlt refuses the entry of|.*resource) `orders`: "
    ):
        validate_entries(shop(*others, entry("orders", **REFUSED[what])))


@pytest.mark.parametrize("path", ["/v1/{a", "/v1/a}", "/v1/}a{"])
def test_a_path_with_a_lone_brace_is_named_though_others_have_another_path(path: str) -> None:
    odd = entry("orders", endpoint={"path": path})
    with pytest.raises(ConfigurationError, match="dlt refuses the entry of `orders`: "):
        validate_entries(shop(entry("articles", endpoint={"path": "/v1/articles"}), odd))


def test_reports_that_differ_in_their_words_are_validated_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    validated = list[Any]()
    monkeypatch.setattr(entries, "rest_api_resources", lambda config: validated.append(config))
    rows = {"zip": {"names": "columns", "values": "$"}}

    def report(name: str, *dimensions: str) -> dict[str, Any]:
        body = {"dimensions": [{"name": each} for each in dimensions], "name": name}
        endpoint = {"path": "/v1", "method": "POST", "data_selector": "rows", "json": body}
        made = {**rows, "fields": {"report": name}}
        return entry(name, primary_key=list(dimensions), endpoint=endpoint, rows=made)

    validate_entries(shop(report("pages", "page"), report("visits", "date", "country")))

    assert len(validated) == 1


def test_a_child_that_dlt_refuses_is_named_though_another_child_is_taken() -> None:
    def child(name: str, **params: Any) -> dict[str, Any]:
        path = f"/v1/orders/{{resources.orders.id}}/{name}"
        return entry(name, endpoint={"path": path, "params": params})

    validate_entries(shop(entry("orders"), child("lines")))
    with pytest.raises(ConfigurationError, match="dlt refuses the entry of `orders`, `notes`: "):
        validate_entries(shop(entry("orders"), child("lines"), child("notes", a={"type": "b"})))


@pytest.mark.parametrize("field", OF_ANY_TEXT)
def test_dlt_accepts_any_text_in_the_fields_that_do_not_make_a_kind(field: str) -> None:
    text = {field: "$[ ..?"}
    with_text = (
        {"name": "orders", **text, "endpoint": {"path": "/v1/orders"}}
        if field in ("name", "table_name", "primary_key", "merge_key")
        else {"name": "orders", "endpoint": {"path": "/v1/orders", **text}}
    )
    config: Any = {"client": {"base_url": "https://api.example.com"}, "resources": [with_text]}
    assert len(rest_api_resources(config)) == 1


@pytest.mark.parametrize("paginator", ["ofset", {"type": "ofset", "limit": 100}])
@pytest.mark.parametrize("place", ["entry", "resource_defaults", "client"])
def test_an_unknown_paginator_is_named_with_the_known_ones(paginator: Any, place: str) -> None:
    config: Any = {
        "client": {"base_url": "https://api.example.com"},
        "resource_defaults": {"primary_key": "id"},
        "resources": [{"name": "orders", "endpoint": {"path": "/v1/orders"}}],
    }
    if place == "client":
        config["client"]["paginator"] = paginator
    else:
        part = config["resources"][0] if place == "entry" else config["resource_defaults"]
        part.setdefault("endpoint", {})["paginator"] = paginator

    with pytest.raises(ConfigurationError) as refused:
        validate_entries(Api(name="shop", config=config))

    where = "resource `orders`" if place == "entry" else f"`{place}`"
    assert str(refused.value).startswith(
        f"{where}: `paginator` is of the type 'ofset', which dlt does not have; did you mean "
        "`offset`? Types are `"
    )


def offset(**options: Any) -> dict[str, Any]:
    return {"endpoint": {"path": "/", "paginator": {"type": "offset", "limit": 100, **options}}}


@pytest.mark.parametrize(
    ("parts", "wrong", "remedy"),
    [
        (offset(limit="100"), "`limit` in `paginator` cannot be '100'", "a whole number, without"),
        (offset(limit=None), "`limit` in `paginator` cannot be None", "give a whole number"),
        (offset(limit=True), "`limit` in `paginator` cannot be True", "give a whole number"),
        (offset(limit=0), "`limit` in `paginator` cannot be 0", "give at least 1"),
        (offset(maximum_offset="9"), "`maximum_offset` in `paginator` cannot be '9'", "None or a"),
        (offset(stop_after_empty_page="no"), "cannot be 'no'", "True or False"),
        (offset(total_path=7), "`total_path` in `paginator` cannot be 7", "a text"),
        (offset(total_path="$.["), "`total_path` cannot be '$.['", "JSONPath such as"),
        (offset(limit_parm="n"), "has no option 'limit_parm'", "did you mean `limit_param`?"),
        ({"endpoint": {"data_selector": "$.["}}, "`data_selector` cannot be '$.['", "JSONPath"),
        ({"endpoint": {"paginator": {"type": "offset"}}}, "needs `limit`", "add it"),
        ({"endpoint": {"paginator": "offset"}}, "needs `limit`", "add it"),
        (
            {"endpoint": {"paginator": {"type": "single_page", "limit": 5}}},
            "'single_page' has no option 'limit'",
            "Options are",
        ),
        (
            {"endpoint": {"paginator": {"type": "auto", "limit": 5}}},
            "'auto' has no option 'limit'",
            "Options are",
        ),
        ({"columns": {"a": "text"}}, "`a` in `columns` cannot be 'text'", '{"data_type": "text"}'),
        ({"columns": {"a": {"data_type": "txt"}}}, "cannot be 'txt'", "did you mean `text`?"),
        ({"write_disposition": "merged"}, "cannot be 'merged'", "did you mean `merge`?"),
        (
            {"write_disposition": {"disposition": "merge", "strategy": "upsrt"}},
            "the strategy of `write_disposition` cannot be 'upsrt'",
            "did you mean `upsert`?",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_remedy(
    parts: dict[str, Any], wrong: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        validate_entries(shop(entry("orders", primary_key="id", **parts)))

    assert "`orders`: " in str(refused.value)
    assert wrong in str(refused.value)
    assert remedy in str(refused.value)


def test_wrong_values_of_the_client_and_of_the_defaults_are_named() -> None:
    paginator = {"type": "offset", "limit": "100"}
    with pytest.raises(ConfigurationError, match=r"^`client`: `limit`"):
        validate_entries(shop("orders", paginator=paginator))
    defaults = {"endpoint": {"paginator": paginator}}
    config = {
        "client": {"base_url": "https://x"},
        "resource_defaults": defaults,
        "resources": ["orders"],
    }
    with pytest.raises(ConfigurationError, match=r"^`resource_defaults`: `limit`"):
        validate_entries(Api(name="shop", config=config))


def test_options_of_a_registered_paginator_need_no_types(monkeypatch: pytest.MonkeyPatch) -> None:
    class Linked(JSONLinkPaginator):
        def __init__(self, next_url_path) -> None:  # type: ignore[no-untyped-def]
            super().__init__(next_url_path)

    monkeypatch.setitem(PAGINATOR_MAP, "linked", Linked)
    register_paginator("linked", Linked)
    validate_entries(shop("orders", paginator={"type": "linked", "next_url_path": "next"}))
    with pytest.raises(ConfigurationError, match="needs `next_url_path`; add it"):
        validate_entries(shop("orders", paginator={"type": "linked"}))


def test_a_refused_part_is_named_as_in_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match=r"^dlt refuses `client`: field `headers` with"):
        validate_entries(shop("orders", headers=7))
    wrong = entry("orders", endpoint={"path": "/", "params": ["a"]})
    with pytest.raises(ConfigurationError) as refused:
        validate_entries(shop(wrong))
    assert str(refused.value) == (
        "dlt refuses the entry of `orders`: `endpoint`: field `params` with value `['a']` has "
        "invalid type `list` while `dict` is expected."
    )


CLIENT = {"base_url": "https://api.example.com"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "the REST source is a NoneType; give a dictionary."),
        ({"resources": ["orders"]}, "the configuration has no `client`; add it."),
        ({"client": CLIENT}, "the configuration has no `resources`; add it."),
        ({"client": "x", "resources": []}, "`client` of the REST source is a str"),
        ({"client": CLIENT, "resources": {"orders": {}}}, "must be a list of entries"),
        ({"client": CLIENT, "resources": [{"endpoint": "/"}]}, "resource 1 .* has no name; add"),
        ({"client": CLIENT, "resources": [{"name": "a", "endpoint": 3}]}, "resource `a` is a int"),
        (
            {"client": CLIENT, "resources": ["a"], "resource_defaults": ["x"]},
            "`resource_defaults` is a list; give a dictionary",
        ),
    ],
)
def test_a_configuration_without_its_parts_is_refused(config: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        refuse_wrong_structure("the REST source", config)


def test_a_refusal_is_a_value_error_as_in_dlt() -> None:
    child = entry("notes", endpoint={"path": "notes", "params": {"a": "{unknown.orders.id}"}})
    with pytest.raises(ValueError, match=r"Expression `unknown.orders.id` defined in `params`"):
        validate_entries(shop("orders", child))
