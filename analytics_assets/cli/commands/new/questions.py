"""An API without a document: three answers, asked for on a terminal, or given as options."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from analytics_assets.cli.commands.new.proposal.from_document import ProposedApi
from analytics_assets.cli.commands.new.proposal.names import names_of
from analytics_assets.cli.commands.new.proposal.resource import (
    Guess,
    ProposedLoad,
    ProposedResource,
)
from analytics_assets.cli.commands.new.proposal.security import SignIn
from analytics_assets.cli.commands.new.writing.nodes import SECRET, SETTING, Inactive
from analytics_assets.config.validation.base_url import wrong_base_url
from analytics_assets.redaction.url import without_credentials

BASE_URL, PATH, AUTH = "https://api.example.com", "/v1/orders", "bearer"
AUTHS: Mapping[str, Any] = {
    "none": None,
    "bearer": {"type": "bearer", "token": SECRET},
    "api_key": {
        "type": "api_key",
        "name": Guess("X-API-Key", "the header of the key"),
        "api_key": SECRET,
        "location": "header",
    },
    "http_basic": {"type": "http_basic", "username": SETTING, "password": SECRET},
    "oauth2": {
        "type": "oauth2",
        "token_url": SETTING,
        "client_id": SECRET,
        "client_secret": SECRET,
    },
}
LOADS = (
    ProposedLoad(
        "Incremental",
        {
            "param": "updated_since",
            "field": "updated_at",
            "initial_value": "2025-01-01T00:00:00Z",
        },
        is_active=False,
        check="to load changed rows alone, if the API has a parameter for them",
    ),
)


@dataclass(frozen=True)
class Answers:
    """The answers to the three questions.

    Args:
        base_url: the base URL.
        path: the path of the first resource.
        auth: the kind of sign-in.
    """

    base_url: str
    path: str
    auth: str


def answers_of(base_url: str | None, path: str | None, auth: str | None) -> Answers:
    """Return the answers: those that are given, and the others by questions on a terminal.

    Args:
        base_url: the option of this name.
        path: likewise.
        auth: likewise.

    Raises:
        click.UsageError: one is missing, and there is no terminal to ask on.
        click.BadParameter: the base URL is none.
    """
    if None in (base_url, path, auth) and not sys.stdin.isatty():
        raise click.UsageError(
            "give `--openapi FILE-OR-URL` or `--recipe VENDOR`; or, without a terminal to ask on, "
            "all of `--base-url`, `--path` and `--auth`."
        )
    base_url = base_url or click.prompt("Base URL of the API", default=BASE_URL)
    path = path or click.prompt("Path of the first resource", default=PATH)
    auth = auth or click.prompt("Sign-in", default=AUTH, type=click.Choice(list(AUTHS)))
    url = without_credentials(str(base_url)).rstrip("/")
    if wrong := wrong_base_url(url):
        raise click.BadParameter(f"the base URL {wrong}")
    return Answers(url, f"/{str(path).strip('/')}", str(auth))


def proposal_of(answers: Answers) -> ProposedApi:
    """Return an API of one resource, with what it may need as comments.

    Args:
        answers: the answers to the three questions.
    """
    path = urlsplit(answers.path).path
    resource = ProposedResource(
        name=names_of([path])[path],
        document_path=path,
        path=Guess(path),
        method="get",
        selector=Guess(Inactive("data"), "the place of the rows, if dlt does not find it"),
        primary_key=Guess("id", "the field that identifies a row"),
        paginator=Guess(
            Inactive({"type": "offset", "limit": 100}),
            "how the API pages, if dlt does not find it in the first answer",
        ),
        loads=LOADS,
    )
    sign_in = SignIn(Guess(AUTHS[answers.auth]))
    return ProposedApi(Guess(answers.base_url), sign_in, (resource,))
