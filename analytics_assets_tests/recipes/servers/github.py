"""GitHub's REST API: pages by the header `Link`, limits by 403, and a conflict where nothing is.

Sources: docs.github.com/en/rest: getting started, pagination, rate limits, and the references of
repositories, issues, pulls, commits, starring and traffic.
"""

import json
import time
from datetime import datetime, timedelta
from typing import Any, ClassVar

from analytics_assets_tests.recipes.server import DAYS, Answer, Request, Row, Table, VendorServer

TOKEN = "github_pat_example"
OWNER = "acme"
EMPTY, FOREIGN = "empty", "library"  # a repository without commits, and one without push access
NAMES = ("site", FOREIGN, EMPTY)
MOST_ROWS = 100  # of a page
PER_DAY = 37  # issues, so that the three days have two pages
STARS = "application/vnd.github.star+json"


class GitHubServer(VendorServer):
    """An organization with three repositories."""

    hosts: ClassVar = {"https://api.github.com": ""}
    resources: ClassVar = {
        "repositories": Table(),
        "issues": Table(),
        "pull_requests": Table(),
        "commits": Table(key=("repository_id", "sha")),
        "stargazers": Table(key=("repository_id", "user_id")),
        "traffic_views": Table(key=("repository_id", "timestamp")),
    }

    def __init__(self) -> None:
        super().__init__()
        self.repositories = [
            {
                "id": number,
                "name": name,
                "full_name": f"{OWNER}/{name}",
                "owner": {"login": OWNER, "id": 1},
                "private": False,
                "topics": ["web"],
                "stargazers_count": 2,
                "pushed_at": f"{DAYS[0]}T00:00:00Z",
            }
            for number, name in enumerate(NAMES, start=1)
        ]
        self.lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for repository in self.repositories:
            name = str(repository["name"])
            is_empty = name == EMPTY
            for kind, make in LISTS.items():
                rows = [
                    make(repository, day, number)
                    for day in DAYS
                    for number in range(PER_DAY if kind == "issues" else 2)
                ]
                self.lists[name, kind] = [] if is_empty else rows
        self.views = [{"timestamp": f"{day}T00:00:00Z", "count": 40, "uniques": 9} for day in DAYS]

    def settings(self) -> dict[str, str]:
        return {
            "SOURCES__SHOP__TOKEN": TOKEN,
            "SOURCES__SHOP__REPOSITORIES__ENDPOINT_PATH": f"orgs/{OWNER}/repos",
        }

    def answer(self, request: Request) -> Answer:
        if not request.headers.get("user-agent"):
            return failure(403, "Request forbidden by administrative rules.")
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return failure(401, "Bad credentials")
        if request.headers.get("x-github-api-version") != "2022-11-28":
            return failure(400, "Version is not supported")
        match request.path.strip("/").split("/"):
            case ["orgs", owner, "repos"] if owner == OWNER:
                return self._page(request, self.repositories)
            case ["repos", owner, name, *kind] if owner == OWNER and name in NAMES:
                return self._list(request, name, "/".join(kind))
        return failure(404, "Not Found")

    def quota_answer(self) -> Answer:
        text = "API rate limit exceeded for user ID 1."
        return Answer(failure(403, text).body, 403, quota(remaining=0, seconds=1))

    def expected(self, resource: str) -> list[Row]:
        if resource == "repositories":
            return [flat(each) for each in copied(self.repositories)]
        if resource == "traffic_views":
            pushable = [each for each in self.repositories if each["name"] != FOREIGN]
            views = [(each, view) for each in pushable for view in self.views]
            return [{**flat(view), **identity(each)} for each, view in views]
        rows = []
        for repository in self.repositories:
            for row in copied(self.lists[str(repository["name"]), PATHS[resource]]):
                extra = {"user_id": row["user"]["id"]} if resource == "stargazers" else {}
                rows.append({**flat(row), **identity(repository), **extra})
        return rows

    def restate(self, day: str) -> None:
        last = f"{day}T23:59:59Z"
        self.repositories[0]["pushed_at"] = last
        self.views[-1]["count"] = 41
        for (name, kind), rows in self.lists.items():
            for row in rows:
                if str(row.get("updated_at", "")).startswith(day):
                    row.update(title="Edited", updated_at=last)
            if name != EMPTY:
                rows.append(LISTS[kind](self.repositories[NAMES.index(name)], day, 999))

    def _list(self, request: Request, name: str, kind: str) -> Answer:
        if kind == "traffic/views":
            if name == FOREIGN:
                return failure(403, "Must have push access to repository")
            total = sum(int(str(view["count"])) for view in self.views)
            return self._answer({"count": total, "uniques": 20, "views": self.views})
        if (name, kind) not in self.lists:
            return failure(404, "Not Found")
        if kind == "commits" and name == EMPTY:
            return failure(409, "Git Repository is empty.")
        rows = self.lists[name, kind]
        if since := request.query.get("since"):
            rows = [row for row in rows if changed_at(row) >= since]
        if kind in ("issues", "pulls") and request.query.get("state") != "all":
            rows = [row for row in rows if row["state"] == "open"]
        if kind == "stargazers" and request.headers.get("accept") != STARS:
            rows = [row["user"] for row in rows]
        return self._page(request, rows)

    def _page(self, request: Request, rows: list[dict[str, Any]]) -> Answer:
        limit = min(request.number("per_page", 30), MOST_ROWS)
        number = request.number("page", 1)
        last = max(1, -(-len(rows) // limit))
        others = "".join(
            f"&{name}={value}" for name, value in request.query.items() if name != "page"
        )
        links = {"next": number + 1, "last": last} if number < last else {"first": 1}
        link = ", ".join(
            f'<{self.url}{request.path}?page={page}{others}>; rel="{name}"'
            for name, page in links.items()
        )
        found = rows[(number - 1) * limit : number * limit]
        return self._answer(found, {"Link": link} if last > 1 else {})

    def _answer(self, body: Any, headers: dict[str, str] | None = None) -> Answer:
        return Answer(body, 200, {**quota(remaining=4999, seconds=3600), **(headers or {})})


def quota(remaining: int, seconds: int) -> dict[str, str]:
    """Return the headers of the primary limit."""
    names = {"Limit": 5000, "Remaining": remaining, "Reset": int(time.time()) + seconds}
    return {f"X-RateLimit-{name}": str(value) for name, value in names.items()}


def failure(status: int, text: str) -> Answer:
    """Return an error as GitHub words it."""
    return Answer({"message": text, "documentation_url": "https://docs.github.com/rest"}, status)


def changed_at(row: dict[str, Any]) -> str:
    """Return the time by which `since` selects a row."""
    return str(row["commit"]["committer"]["date"] if "commit" in row else row["updated_at"])


def copied(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that change no more."""
    same: list[dict[str, Any]] = json.loads(json.dumps(rows))
    return same


def identity(repository: dict[str, Any]) -> Row:
    """Return the columns by which a row belongs to its repository."""
    return {"repository_id": repository["id"], "repository": repository["full_name"]}


def flat(each: dict[str, Any], prefix: str = "") -> Row:
    """Return an object as a row: its parts are columns, and lists are JSON."""
    row: Row = {}
    for name, value in each.items():
        if isinstance(value, dict):
            row |= flat(value, f"{prefix}{name}__")
        else:
            is_time = name == "date" or name == "timestamp" or name.endswith("_at")
            row[prefix + name] = datetime.fromisoformat(value) if is_time and value else value
    return row


def issue(repository: dict[str, Any], day: str, number: int) -> dict[str, Any]:
    return {
        "id": unique(repository, day, number),
        "number": number,
        "title": f"Issue {number}",
        "state": "closed" if number % 2 else "open",
        "user": {"login": "ada", "id": 7},
        "labels": [{"id": 1, "name": "bug"}],
        "assignees": [],
        "created_at": f"{day}T08:00:00Z",
        "updated_at": moment(day, number),
        "closed_at": None,
    }


def pull_request(repository: dict[str, Any], day: str, number: int) -> dict[str, Any]:
    head = {"ref": "fix", "sha": "c0ffee"}
    extra = {"requested_reviewers": [], "requested_teams": [], "head": head, "draft": False}
    return {**issue(repository, day, number), "title": f"Pull request {number}", **extra}


def commit(repository: dict[str, Any], day: str, number: int) -> dict[str, Any]:
    person = {"name": "Ada", "email": "ada@example.com", "date": moment(day, number)}
    return {
        "sha": f"{day}-{number}",
        "commit": {"author": person, "committer": person, "message": f"Commit {number}"},
        "author": {"login": "ada", "id": 7},
        "parents": [{"sha": "beef"}],
    }


def stargazer(repository: dict[str, Any], day: str, number: int) -> dict[str, Any]:
    user = {"login": f"user-{day}-{number}", "id": unique(repository, day, number)}
    return {"starred_at": moment(day, number), "user": user}


def unique(repository: dict[str, Any], day: str, number: int) -> int:
    """Return an id that no other row has."""
    return int(repository["id"]) * 100_000 + int(day[-2:]) * 1000 + number


def moment(day: str, number: int) -> str:
    """Return a time of a day."""
    at = datetime.fromisoformat(f"{day}T09:00:00") + timedelta(minutes=number % 100)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


PATHS = {
    "issues": "issues",
    "pull_requests": "pulls",
    "commits": "commits",
    "stargazers": "stargazers",
}
LISTS = {"issues": issue, "pulls": pull_request, "commits": commit, "stargazers": stargazer}
