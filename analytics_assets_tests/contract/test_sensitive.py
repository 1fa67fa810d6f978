"""Fields whose values are not shown."""

from pathlib import Path
from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.contract.sensitive import Sensitive
from analytics_assets_tests.support.orders import document_of, orders_api

TEXT = {"type": "string"}
USER = {"type": "object", "properties": {"email": TEXT, "id": TEXT}}


def orders(place: Path | None, *sensitive: str, **policy: Any) -> Resource:
    fields = {"id": TEXT, "eMail": TEXT, "user": USER}
    openapi = document_of(place / "openapi.json", fields, ["id"]) if place else None
    return resource_of(orders_api(openapi, sensitive=sensitive, **policy), "orders")


def hidden(resource: Resource) -> Sensitive:
    return Sensitive.of(resource, resource.contract)


def test_a_field_is_hidden_by_its_name_or_by_that_of_its_column(tmp_path: Path) -> None:
    for name in ("eMail", "e_mail"):
        sensitive = hidden(orders(tmp_path, name))
        assert sensitive.row({"id": 1, "e_mail": "a@b"}) == {"id": 1}
        assert sensitive.row({"id": 1, "eMail": "a@b"}) == {"id": 1}


def test_a_renamed_field_is_hidden_by_either_name(tmp_path: Path) -> None:
    for name in ("eMail", "contact"):
        sensitive = hidden(orders(tmp_path, name, rename={"eMail": "contact"}))
        assert sensitive.hides("contact")


@pytest.mark.parametrize("nested", ["json", "columns"])
def test_a_path_leads_into_objects_whatever_becomes_of_them(nested: str, tmp_path: Path) -> None:
    sensitive = hidden(orders(tmp_path, "user.email", nested=nested))

    assert (sensitive.hides("user__email"), sensitive.hides("email")) == (True, False)
    assert sensitive.shown("user", '{"id": 1, "email": "a@b"}') == {"id": 1}
    assert sensitive.shown("user", [{"email": "a@b", "id": 2}]) == [{"id": 2}]


def test_an_object_is_hidden_with_all_that_is_in_it() -> None:
    sensitive = hidden(orders(None, "user"))

    assert sensitive.hides("user__id")
    assert sensitive.row({"user": {"id": 1}, "buyer": {"user": 2, "id": 3}}) == {"buyer": {"id": 3}}


def test_a_column_that_dlt_made_of_another_type_is_hidden_too() -> None:
    assert hidden(orders(None, "zip")).hides("zip__v_text")


@pytest.mark.parametrize("name", ["emial", "user.", "buyer.email"])
def test_a_name_that_the_contract_does_not_know_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="`sensitive` has") as refused:
        orders(tmp_path, name)

    assert "policy of `orders`" in str(refused.value)


def test_any_name_may_be_hidden_without_a_contract() -> None:
    assert hidden(orders(None, "whatever")).hides("whatever")
