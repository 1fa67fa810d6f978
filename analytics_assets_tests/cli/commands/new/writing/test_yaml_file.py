"""The file `defs.yaml`: the same API as `api.py`, whatever texts a document has."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.cli.commands.new.proposal.from_document import ProposedApi
from analytics_assets.cli.commands.new.validated import api_of as api_of_values
from analytics_assets.cli.commands.new.writing.python_file import python_file
from analytics_assets.cli.commands.new.writing.yaml_file import _scalar, yaml_file
from analytics_assets.config.api import Api
from analytics_assets.orchestration.api_file import COMPONENT, api_of
from analytics_assets.orchestration.api_file.yaml_file import rendered
from analytics_assets_tests.cli.commands.new.documents import (
    DAY,
    NUMBER,
    TEXT,
    TIME,
    array,
    body,
    get,
    in_path,
    proposed,
    query,
)

HOSTILE = '{{ env.HOME }} {% for x in y %} {# a #} \n" \\ # `'
SPAN = [query("from", DAY, required=True), query("to", DAY, required=True)]
SCHEMES = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
PATHS = {
    "/orders": get(
        body(**{HOSTILE: array({"id": NUMBER, "updated_at": TIME})}, next_cursor=TEXT),
        *(query(f"created{HOSTILE}"), query("cursor"), query("updated_since", TIME)),
        summary=HOSTILE,
    ),
    "/orders/{id}/lines": get(array({"number": NUMBER}), in_path("id")),
    "/visits": get(array({"id": NUMBER, "date": DAY}), *SPAN),
}


@pytest.fixture
def api() -> ProposedApi:
    """An API with texts in it that no other one has."""
    return proposed(PATHS, components=SCHEMES, security=[{"key": []}])


def parts_of(api: Api) -> Any:
    """All that an API says, apart from the place of its file."""
    return api.config, {name: each.policy for name, each in api.resources.items()}


def test_yaml_and_python_describe_the_proposed_api(api: ProposedApi) -> None:
    text = yaml_file("shop", api, "openapi.json", None)
    document = yaml.safe_load(text)
    described = api_of(document["attributes"], Path("defs/shop/defs.yaml"))

    assert document["type"] == COMPONENT
    assert parts_of(described) == parts_of(api_of_values("shop", api))

    names: dict[str, Any] = {"__file__": "defs/shop/api.py"}
    exec(compile(python_file("shop", api, None, None), "api.py", "exec"), names)
    assert parts_of(names["API"]) == parts_of(api_of_values("shop", api))


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_is_itself_again_and_no_template(text: str) -> None:
    loaded = yaml.safe_load(f"a: {_scalar(text)}")["a"]

    assert str(rendered("a", loaded)) == text
    assert type(loaded) is str
