from datetime import timedelta
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.policy import Policy

CLIENT = {"base_url": "https://api.example.com"}


def api(*resources: Any, name: str = "shop", **parts: Any) -> Api:
    policies = {key: parts.pop(key) for key in ("default_policy", "policies") if key in parts}
    config = {"client": CLIENT, "resources": list(resources), **parts}
    return Api(name=name, config=config, **policies)


def test_an_api_lists_its_resources_in_the_order_they_are_written() -> None:
    shop = api({"name": "orders"}, "customers", {"name": "articles"})

    assert list(shop.resources) == ["orders", "customers", "articles"]


@pytest.mark.parametrize(
    ("parts", "place", "wrong", "right"),
    [
        ({"resource_default": {}}, "API `shop`", "resource_default", "resource_defaults"),
        (
            {"client": {**CLIENT, "pagniator": "auto"}},
            "`client` of API `shop`",
            "pagniator",
            "paginator",
        ),
        (
            {"resources": [{"name": "orders", "primary_keys": "id"}]},
            "resource `orders`",
            "primary_keys",
            "primary_key",
        ),
        (
            {"resources": [{"name": "orders", "endpoint": {"data_select": "data"}}]},
            "`endpoint` of resource `orders`",
            "data_select",
            "data_selector",
        ),
        (
            {"resource_defaults": {"write_dispositon": "merge"}},
            "`resource_defaults`",
            "write_dispositon",
            "write_disposition",
        ),
        (
            {"resource_defaults": {"endpoint": {"parms": {}}}},
            "`endpoint` of `resource_defaults`",
            "parms",
            "params",
        ),
        (
            {"default_policy": {"schedul": "@daily"}},
            "policy of `orders`",
            "schedul",
            "schedule",
        ),
        (
            {"policies": {"orders": {"time_zone": "UTC"}}},
            "policy of `orders`",
            "time_zone",
            "timezone",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_its_place_and_the_key_that_was_meant(
    parts: dict[str, Any], place: str, wrong: str, right: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": "orders"}, **parts)

    message = str(refusal.value)
    assert message.startswith(place)
    assert repr(wrong) in message
    assert f"did you mean `{right}`?" in message


@pytest.mark.parametrize("part", ["client", "resources"])
def test_a_configuration_without_client_or_resources_is_refused(part: str) -> None:
    config = {"client": CLIENT, "resources": ["orders"]}
    del config[part]

    with pytest.raises(ConfigurationError, match=f"has no `{part}`; add it"):
        Api(name="shop", config=config)


@pytest.mark.parametrize("second", [{"name": "orders"}, "orders"])
def test_two_resources_of_one_name_are_refused(second: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"resource 3 .*already a resource `orders`"):
        api({"name": "orders"}, "customers", second)


ILLEGAL = [
    ("Orders", "orders"),
    ("DailyUsers", "daily_users"),
    ("page-views", "page_views"),
    ("page views", "page_views"),
    ("page__views", "page_views"),
    ("_orders", "orders"),
    ("orders_", "orders"),
    ("orders\n", "orders"),
]


@pytest.mark.parametrize(("illegal", "suggested"), ILLEGAL)
def test_an_illegal_resource_name_is_refused_with_a_legal_one_suggested(
    illegal: str, suggested: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": illegal})

    assert str(refusal.value).startswith(f"resource 1 of API `shop` is called {illegal!r}")
    assert str(refusal.value).endswith(f"Call it {suggested!r}.")


@pytest.mark.parametrize(("illegal", "suggested"), ILLEGAL)
def test_an_illegal_api_name_is_refused_with_a_legal_one_suggested(
    illegal: str, suggested: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": "orders"}, name=illegal)

    assert repr(illegal) in str(refusal.value)
    assert str(refusal.value).endswith(f"Call it {suggested!r}.")


@pytest.mark.parametrize(("illegal", "suggested"), ILLEGAL)
def test_an_illegal_table_name_is_refused_with_a_legal_one_suggested(
    illegal: str, suggested: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": "sales", "table_name": illegal})

    assert str(refusal.value).startswith(f"`table_name` of resource `sales` is {illegal!r}")
    assert str(refusal.value).endswith(f"Call it {suggested!r}.")


@pytest.mark.parametrize("illegal", ["", "__", "2024_orders", "é", "o" * 64])
def test_a_name_from_which_no_legal_one_follows_is_refused_with_the_rule_alone(
    illegal: str,
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": illegal})

    assert "up to 63 lower-case letters, digits and single underscores" in str(refusal.value)
    assert "Call it" not in str(refusal.value)


@pytest.mark.parametrize("name", ["a", "orders", "orders_2", "page_views_v2", "o" * 63])
def test_names_of_lower_case_letters_digits_and_single_underscores_are_legal(name: str) -> None:
    assert list(api({"name": name}, name=name).resources) == [name]


@pytest.mark.parametrize("entry", [{}, {"endpoint": {"path": "/v1/orders"}}, {"name": 7}])
def test_a_resource_without_a_name_is_refused_by_its_number(entry: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r'resource 2 .* has no name; add "name"'):
        api({"name": "customers"}, entry)


def test_a_policy_of_a_resource_that_is_not_there_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": "orders"}, {"name": "customers"}, policies={"order": {}})

    assert "policy of `order`: there is no such resource" in str(refusal.value)
    assert "did you mean `orders`?" in str(refusal.value)
    assert "`orders`, `customers`" in str(refusal.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "CEST+1", "../../etc/passwd", None, 2])
def test_a_time_zone_that_does_not_exist_is_refused(zone: Any) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": "orders"}, policies={"orders": {"timezone": zone}})

    assert f"policy of `orders`: `timezone` is {zone!r}" in str(refusal.value)
    assert "'Europe/Berlin'" in str(refusal.value)


@pytest.mark.parametrize("freshness", [timedelta(0), timedelta(hours=-1), 36, "36h", None])
def test_a_freshness_that_is_no_positive_duration_is_refused(freshness: Any) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api({"name": "orders"}, default_policy={"freshness": freshness})

    assert "policy of `orders`: `freshness`" in str(refusal.value)
    assert "timedelta(hours=36)" in str(refusal.value)


@pytest.mark.parametrize("span", [timedelta(0), timedelta(hours=-1), 3600, "1h"])
def test_a_time_limit_that_is_no_positive_duration_is_refused(span: Any) -> None:
    with pytest.raises(ConfigurationError, match="policy of `orders`: `max_runtime` is"):
        api({"name": "orders"}, default_policy={"max_runtime": span})
    assert api({"name": "orders"}).resources["orders"].policy.max_runtime is None


def test_a_resources_own_policy_goes_over_the_shared_one_field_by_field() -> None:
    shop = api(
        "orders",
        "customers",
        default_policy={"schedule": "0 5 * * *", "owners": ["team:sales"]},
        policies={"orders": {"schedule": "15 * * * *"}},
    )

    assert shop.resources["orders"].policy == Policy(schedule="15 * * * *", owners=["team:sales"])
    assert shop.resources["customers"].policy == Policy(schedule="0 5 * * *", owners=["team:sales"])


def test_a_merge_without_a_key_is_refused() -> None:
    config = {
        "client": {"base_url": "https://api.example.com"},
        "resource_defaults": {"write_disposition": "merge"},
        "resources": [{"name": "orders", "endpoint": "/v1/orders"}],
    }
    with pytest.raises(ConfigurationError, match=r"resource `orders` is merged, but by no key"):
        Api(name="shop", config=config)


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        ({"schedule": 5}, "`schedule` cannot be 5"),
        ({"owners": "team:x"}, "`owners` cannot be 'team:x'"),
        ({"tags": ["x"]}, "`tags`"),
        ({"date_column": 5}, "`date_column"),
        ({"newest": "updated_at"}, "`newest"),
        ({"newest": {"parms": {}, "field": "updated_at"}}, "`newest"),
    ],
)
def test_a_policy_of_a_wrong_type_is_refused_by_name(policy: Any, named: str) -> None:
    config = {
        "client": {"base_url": "https://api.example.com"},
        "resources": [{"name": "orders", "endpoint": "/v1/orders"}],
    }
    with pytest.raises(ConfigurationError) as refusal:
        Api(name="shop", config=config, policies={"orders": policy})
    assert str(refusal.value).startswith("policy of `orders`: ")
    assert named in str(refusal.value)


@pytest.mark.parametrize("resources", [{"orders": {}}, "orders"])
def test_resources_that_are_no_list_are_refused(resources: Any) -> None:
    config = {"client": {"base_url": "https://api.example.com"}, "resources": resources}
    with pytest.raises(ConfigurationError, match="must be a list"):
        Api(name="shop", config=config)


@pytest.mark.parametrize("hint", ["hard_delete", "dedup_sort"])
def test_hints_that_an_upsert_does_not_apply_are_refused(hint: str) -> None:
    entry = {"name": "orders", "primary_key": "id", "columns": {"deleted": {hint: True}}}

    api({**entry, "write_disposition": "merge"})
    with pytest.raises(ConfigurationError, match=f"resource `orders`: `{hint}` in `columns`"):
        api({**entry, "write_disposition": {"disposition": "merge", "strategy": "upsert"}})
