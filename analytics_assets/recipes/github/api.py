"""GitHub: the repositories of an owner, and their issues, commits, stars and views.

The token and the owner are settings (README.md).
"""

from datetime import timedelta
from typing import Any

import dagster as dg
import dlt

from analytics_assets import Api, Incremental, build_definitions

LIST = {"data_type": "json"}  # a list stays in the column of its row
OF_REPOSITORY = {"_repositories_id": "repository_id", "_repositories_full_name": "repository"}
PATH = "repos/{resources.repositories.owner.login}/{resources.repositories.name}"
FIRST = "2026-01-01T00:00:00Z"  # the first moment to load


def with_user_id(row: dict[str, Any]) -> dict[str, Any]:
    """Add the id of the user, a part of the key, which is within an object."""
    return {**row, "user_id": row["user"]["id"]}


API = Api(
    name="github",
    file=__file__,
    config={
        "client": {
            "base_url": "https://api.github.com/",
            "auth": {"type": "bearer", "token": dlt.secrets.value},
            "headers": {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            "paginator": "header_link",
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
            "endpoint": {"data_selector": "$", "params": {"per_page": 100}},
        },
        "resources": [
            {
                "name": "repositories",
                "columns": {"topics": LIST},
                "endpoint": {"path": dlt.config.value},  # the setting `endpoint_path`
            },
            {
                "name": "issues",
                "columns": {"labels": LIST, "assignees": LIST},
                "include_from_parent": ["id", "full_name"],
                "endpoint": {"path": f"{PATH}/issues", "params": {"state": "all"}},
            },
            {
                "name": "pull_requests",
                "columns": {
                    "labels": LIST,
                    "assignees": LIST,
                    "requested_reviewers": LIST,
                    "requested_teams": LIST,
                },
                "include_from_parent": ["id", "full_name"],
                "endpoint": {"path": f"{PATH}/pulls", "params": {"state": "all"}},
            },
            {
                "name": "commits",
                "primary_key": ["_repositories_id", "sha"],
                "columns": {"parents": LIST},
                "include_from_parent": ["id", "full_name"],
                "endpoint": {
                    "path": f"{PATH}/commits",
                    "response_actions": [
                        {"status_code": 409, "content": "is empty", "action": "ignore"}
                    ],
                },
            },
            {
                "name": "stargazers",
                "primary_key": ["_repositories_id", "user_id"],
                "include_from_parent": ["id", "full_name"],
                "processing_steps": [{"map": with_user_id}],
                "endpoint": {
                    "path": f"{PATH}/stargazers",
                    "headers": {"Accept": "application/vnd.github.star+json"},
                },
            },
            {
                "name": "traffic_views",
                "primary_key": ["_repositories_id", "timestamp"],
                "include_from_parent": ["id", "full_name"],
                "endpoint": {
                    "path": f"{PATH}/traffic/views",
                    "data_selector": "views",
                    "paginator": {"type": "single_page", "ignored_fields": ["count"]},
                    "response_actions": [
                        {"status_code": 403, "content": "push access", "action": "ignore"}
                    ],
                },
            },
        ],
    },
    default_policy={"date_column": None},
    policies={
        "repositories": {"description": "Repositories of the owner."},
        "issues": {
            "description": "Issues and pull requests; the latter have `pull_request__url`.",
            "rename": OF_REPOSITORY,
            "load": Incremental(param="since", field="updated_at", initial_value=FIRST),
        },
        "pull_requests": {
            "description": "Pull requests with their branches.",
            "rename": OF_REPOSITORY,
        },
        "commits": {
            "description": "Commits of the default branches.",
            "rename": OF_REPOSITORY,
            "load": Incremental(
                param="since",
                field="commit.committer.date",
                initial_value=FIRST,
                lookback=timedelta(days=14),  # those that were pushed later than made
            ),
            "sensitive": ["email"],
        },
        "stargazers": {"description": "Users who starred, since when.", "rename": OF_REPOSITORY},
        "traffic_views": {
            "description": "Views per repository and day.",
            "date_column": "timestamp",
            "rename": OF_REPOSITORY,
        },
    },
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
