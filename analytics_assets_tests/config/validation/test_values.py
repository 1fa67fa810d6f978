"""Keys and values at each depth of a configuration: refused with the word that was meant."""

from datetime import date
from typing import Any

import dlt
import pytest
from requests.auth import HTTPBasicAuth

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.validation.base_url import wrong_base_url, wrong_url

CLIENT = {"base_url": "https://api.example.com"}
SECRET = "a-secret-of-the-file"


def shop(client: dict[str, Any] | None = None, **parts: Any) -> Api:
    entry = {"name": "orders", "primary_key": "id", "endpoint": {"path": "orders"}, **parts}
    config = {"client": {**CLIENT, **(client or {})}, "resources": [entry]}
    return Api(name="shop", config=config)


def refusal(client: dict[str, Any] | None = None, **parts: Any) -> str:
    with pytest.raises(ConfigurationError) as refused:
        shop(client, **parts)
    return str(refused.value)


@pytest.mark.parametrize(
    ("parts", "begin"),
    [
        (
            {"endpoint": {"incremental": {"cursor_pat": "at"}}},
            "`incremental` of resource `orders`: unknown key 'cursor_pat'; did you mean "
            "`cursor_path`? Known keys are `allow_external_schedulers`, ",
        ),
        (
            {"endpoint": {"response_actions": ["raise", {"acton": "ignore"}]}},
            "`response_actions` of resource `orders`: unknown key 'acton'; did you mean `action`?",
        ),
        (
            {"processing_steps": [{"filtr": len}]},
            "`processing_steps` of resource `orders`: unknown key 'filtr'; did you mean `filter`?",
        ),
        (
            {"columns": {"size": {"datatype": "text"}}},
            "resource `orders`: `size` in `columns`: unknown key 'datatype'; did you mean "
            "`data_type`?",
        ),
        (
            {"columns": {"size": None}},
            "resource `orders`: `size` in `columns` cannot be None: give a dictionary of hints",
        ),
        (
            {"columns": {"size": {"data_type": "integer"}}},
            "resource `orders`: `data_type` of `size` in `columns` cannot be 'integer'; did you "
            "mean `bigint`? Types are ",
        ),
        (
            {"write_disposition": "overwrite"},
            "resource `orders`: the disposition of `write_disposition` cannot be 'overwrite'; did "
            "you mean `replace`? dlt has ",
        ),
        (
            {"endpoint": {"auth": {"type": "api_key", "api_kee": SECRET}}},
            "resource `orders`: `auth` of the type 'api_key': unknown key 'api_kee'; did you mean "
            "`api_key`? Known keys are `name`, `api_key`, `location`, `type`.",
        ),
    ],
)
def test_a_wrong_word_in_an_entry_is_named_with_the_right_one(
    parts: dict[str, Any], begin: str
) -> None:
    message = refusal(**parts)
    assert message.startswith(begin)
    assert SECRET not in message


@pytest.mark.parametrize(
    ("auth", "begin"),
    [
        ({"type": "oath2", "client_id": "me"}, "that is not there; did you mean `oauth2`? Types"),
        (
            {"type": "oauth2", "client_secrt": SECRET},
            "type 'oauth2': unknown key 'client_secrt'; did you mean `client_secret`?",
        ),
        ({"type": "oauth2", "tokenurl": "https://x"}, "'tokenurl'; did you mean `token_url`?"),
        (
            {"tokn": SECRET},
            "`auth` of the type 'bearer': unknown key 'tokn'; did you mean `token`?",
        ),
        (SECRET, '`auth` is a text that is no type; give {"type": "bearer", "token": dlt.secrets'),
        ([SECRET], "`auth` is a list; give a dictionary such as"),
    ],
)
def test_a_wrong_sign_in_is_named_without_its_values(auth: Any, begin: str) -> None:
    message = refusal({"auth": auth})
    assert message.startswith("`client`: `auth`")
    assert begin in message
    assert SECRET not in message


@pytest.mark.parametrize(
    "auth",
    [
        None,
        "bearer",
        {"type": "oauth2_client_credentials", "access_token_url": dlt.config.value},
        {"token": dlt.secrets.value},
        {"type": "http_basic", "username": "me", "password": dlt.secrets.value},
        HTTPBasicAuth("me", "secret"),
    ],
)
def test_a_sign_in_that_dlt_knows_is_taken(auth: Any) -> None:
    assert shop({"auth": auth}).resources


@pytest.mark.parametrize(
    ("url", "described"),
    [
        ("shop.example.com/v1", "has no scheme; did you mean 'https://shop.example.com/v1'?"),
        ("//shop.example.com", "has no scheme; did you mean 'https://shop.example.com'?"),
        ("shop", "is 'shop', which has no scheme."),
        ("ftp://shop.example.com", "is no URL such as 'https://api.example.com'."),
        (
            f"https://shop.example.com/v1?key={SECRET}",
            "is 'https://shop.example.com/v1' with a q",
        ),
        ("https://shop.example.com/#top", "is 'https://shop.example.com/' with a query or a frag"),
    ],
)
def test_a_base_url_without_scheme_or_with_a_query_is_refused(url: str, described: str) -> None:
    message = refusal({"base_url": url})
    assert message.startswith("`client`: `base_url` is '")
    assert described in message
    assert SECRET not in message


def test_a_base_url_may_have_a_path_and_be_a_setting() -> None:
    for url in ("https://api.example.com/v1/", "http://127.0.0.1:8000", dlt.config.value, None):
        assert wrong_base_url(url) is None
    assert wrong_url("https://auth.example.com/token?tenant=1") is None


def test_a_typo_of_the_disposition_is_the_cause_and_not_the_load() -> None:
    with pytest.raises(ConfigurationError, match="cannot be 'mergee'; did you mean `merge`"):
        Api(
            name="shop",
            config={
                "client": CLIENT,
                "resource_defaults": {"primary_key": "id", "write_disposition": "mergee"},
                "resources": ["orders"],
            },
            policies={"orders": {"load": Partitioned(start=date(2026, 1, 1))}},
        )


@pytest.mark.parametrize(
    ("policy", "event"),
    [
        ({"timezone": "Europe/Berln"}, "such as 'UTC' or 'Europe/Berlin'; did you mean `Europe/B"),
        ({"newest": {"params": {}, "feild": "at"}}, "`newest`: unknown key 'feild'; did you mean"),
        ({"owners": "team:x"}, "`owners` cannot be 'team:x': give a list, such as ["),
        ({"tags": ["x"]}, "`tags` cannot be ['x']: give a dictionary."),
        ({"schedule": 5}, "`schedule` cannot be 5: give a text, in quotes."),
        ({"prune": "no"}, "`prune` cannot be 'no': give True or False."),
        ({"cron": "@daily"}, "unknown key 'cron'; did you mean `schedule`?"),
    ],
)
def test_a_wrong_policy_is_named_with_what_to_give(policy: Any, event: str) -> None:
    config = {"client": CLIENT, "resources": ["orders"]}
    with pytest.raises(ConfigurationError) as refused:
        Api(name="shop", config=config, policies={"orders": policy})
    assert str(refused.value).startswith("policy of `orders`: ")
    assert event in str(refused.value)
