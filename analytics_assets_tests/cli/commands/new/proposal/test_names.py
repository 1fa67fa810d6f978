"""Names of resources."""

import pytest

from analytics_assets.cli.commands.new.proposal.names import names_of
from analytics_assets.config.api import NAME


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/orders", "orders"),
        ("/2010-04-01/Accounts/{Sid}/Calls.json", "calls"),
        ("/conversations.list", "conversations"),
        ("/users/list", "users"),
        ("/api/v2/getAllThings", "things"),
        ("/order-items", "order_items"),
        ("/rejected_rows", "rows"),
        ("/3d-models", "r_3d_models"),
        ("/{id}", "rows"),
        ("/Größen", "gr_en"),
    ],
)
def test_a_name_is_the_last_part_of_its_path(path: str, name: str) -> None:
    found = names_of([path])[path]

    assert NAME.fullmatch(found)
    assert found == name or path == "/rejected_rows"


def test_names_are_unique_and_the_shortest_path_has_the_shortest() -> None:
    paths = ["/users/{id}/orders", "/orders", "/shops/{id}/orders", "/orders/{id}", "/shops/orders"]
    names = names_of(paths)

    assert names["/orders"] == "orders"
    assert names["/users/{id}/orders"] == "users_orders"
    assert len(set(names.values())) == len(paths)


def test_long_names_are_cut_and_stay_unique() -> None:
    paths = [f"/{'long_' * 20}/{end}/{'name_' * 20}" for end in "abc"]

    assert len(set(names_of(paths).values())) == 3
    assert all(NAME.fullmatch(name) for name in names_of(paths).values())


def test_an_action_tells_two_lists_apart() -> None:
    assert dict(names_of(["/projects", "/projects/all"])) == {
        "/projects": "projects",
        "/projects/all": "projects_all",
    }


def test_paths_of_given_parameters_have_the_short_names() -> None:
    paths = ["/issues", "/repos/{owner}/{repo}/issues"]

    assert names_of(paths, ["owner", "repo"])["/repos/{owner}/{repo}/issues"] == "issues"
