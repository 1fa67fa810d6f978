"""Resources whose paths have parameters: read from the rows of others, or by given values."""

from typing import Any

from analytics_assets_tests.cli.commands.new.documents import (
    NUMBER,
    TEXT,
    array,
    body,
    get,
    in_path,
    proposed,
)

USERS = array({"id": NUMBER, "login": TEXT})


def paths_of(paths: dict[str, Any], **others: Any) -> dict[str, str]:
    """The paths of the entries, by name."""
    return {each.name: each.path.value for each in proposed(paths, **others).resources}


def test_a_parameter_is_filled_by_the_list_in_front_of_it() -> None:
    posts = get(array({"id": NUMBER, "user_id": NUMBER}), in_path("user_id"))
    api = proposed({"/users": get(USERS), "/users/{user_id}/posts": posts})
    child = api.resources[1]

    assert (child.name, child.parent, child.checks) == ("posts", "users", [])
    assert child.path.value == "/users/{resources.users.id}/posts"
    assert child.parent_fields == ()  # the rows have `user_id`


def test_rows_without_a_reference_to_their_parent_get_its_field() -> None:
    posts = get(array({"id": NUMBER}), in_path("userId"))
    child = proposed({"/users": get(USERS), "/users/{userId}/posts": posts}).resources[1]

    assert child.parent_fields == ("id",)
    assert child.primary_key.value == "id"


def test_a_key_that_may_be_one_of_the_parent_alone_has_the_parents_in_it() -> None:
    lines = get(array({"number": NUMBER}), in_path("id"))
    child = proposed({"/users": get(USERS), "/users/{id}/lines": lines}).resources[1]

    assert child.primary_key.value == ["_users_id", "number"]
    assert child.parent_fields == ("id",)


def test_the_field_is_that_of_the_parameters_name() -> None:
    repos = get(array({"id": NUMBER}), in_path("login"))

    assert paths_of({"/users": get(USERS), "/users/{login}/repos": repos})["repos"] == (
        "/users/{resources.users.login}/repos"
    )


def test_the_files_ending_of_a_list_is_no_part_of_its_place() -> None:
    calls = get(body(calls=array({"sid": TEXT})), in_path("AccountSid"))
    paths = {
        "/Accounts.json": get(body(accounts=array({"sid": TEXT}), page_size=NUMBER)),
        "/Accounts/{AccountSid}/Calls.json": calls,
    }

    assert paths_of(paths) == {
        "accounts": "/Accounts.json",
        "calls": "/Accounts/{resources.accounts.sid}/Calls.json",
    }


def test_a_list_elsewhere_fills_a_parameter_by_its_name_as_a_guess() -> None:
    tasks = get(array({"id": NUMBER}), in_path("user_id"))
    child = proposed({"/v1/users": get(USERS), "/v1/tasks/of/{user_id}/open": tasks}).resources[1]

    assert child.path.value == "/v1/tasks/of/{resources.users.id}/open"
    assert "by its name alone" in str(child.path.check)


def test_an_outer_parameter_is_filled_by_what_the_parent_takes_over() -> None:
    comments = get(array({"id": NUMBER}), in_path("user_id"), in_path("post_id"))
    api = proposed(
        {
            "/users": get(USERS),
            "/users/{user_id}/posts": get(
                array({"id": NUMBER, "user_id": NUMBER}), in_path("user_id")
            ),
            "/users/{user_id}/posts/{post_id}/comments": comments,
        }
    )
    _, posts, child = api.resources

    assert posts.parent_fields == ("id",)
    assert child.path.value == (
        "/users/{resources.posts._users_id}/posts/{resources.posts.id}/comments"
    )


def test_given_values_fill_parameters_and_others_are_named() -> None:
    paths = {"/repos/{owner}/{repo}/issues": get(USERS), "/users": get(USERS)}
    [skipped] = proposed(paths).skipped
    given = {"owner": "acme", "repo": "site"}

    assert skipped.is_list
    assert skipped.reason == "its path needs {owner}, {repo}"
    assert paths_of(paths, values=given)["issues"] == "/repos/acme/site/issues"


def test_a_selected_child_brings_its_parents() -> None:
    posts = get(array({"id": NUMBER}), in_path("user_id"))
    paths = {"/users": get(USERS), "/teams": get(USERS), "/users/{user_id}/posts": posts}

    assert [*paths_of(paths, only=["posts"])] == ["users", "posts"]


def test_a_parameter_that_is_no_row_of_the_list_in_front_of_it_is_named() -> None:
    paths = {
        "/repositories": get(USERS),
        "/repositories/{workspace}": get(USERS, in_path("workspace")),
    }
    [skipped] = proposed(paths).skipped

    assert skipped.reason == "its path needs {workspace}"


def test_a_user_name_is_the_login() -> None:
    named = array({"id": NUMBER, "login": TEXT, "name": TEXT})
    paths = {"/users": get(named), "/users/{username}/repos": get(USERS, in_path("username"))}

    assert paths_of(paths)["repos"] == "/users/{resources.users.login}/repos"


def test_what_was_not_selected_is_not_listed_as_left_out() -> None:
    paths = {"/users": get(USERS), "/me": get(body(id=NUMBER)), "/teams/{id}": get(body(id=NUMBER))}

    assert proposed(paths, only=["users"]).skipped == ()
    assert [each.path for each in proposed(paths, only=["/[um]*"]).skipped] == ["/me"]
