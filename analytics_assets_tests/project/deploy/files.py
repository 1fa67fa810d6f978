"""The files of `deploy/`, read for their tests."""

import json
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import click
import yaml
from celery.bin.celery import celery
from dagster._cli import cli as dagster
from dagster._daemon.cli import cli as dagster_daemon
from dagster_webserver.cli import dagster_webserver

from analytics_assets_tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
# what Dagster, Python and the C library read
OF_DEPLOYMENT = {
    "CODE_LOCATION_HOST",
    "CODE_LOCATION_PORT",
    "DAGSTER_FILES",
    "DAGSTER_HOME",
    "DAGSTER_POSTGRES_URL",
    "MALLOC_MMAP_THRESHOLD_",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "SECRETS_DIR",
}
PROGRAMS: dict[str, click.Command] = {
    "celery": celery,
    "dagster": dagster,
    "dagster-daemon": dagster_daemon,
    "dagster-webserver": dagster_webserver,
}
OTHERS = {"pg_isready", "redis-cli", "redis-server", "python"}


def read(name: str) -> Any:
    """Return what a YAML file of the folder says."""
    return yaml.safe_load((DEPLOY / name).read_text())


def instructions() -> Iterator[tuple[str, str]]:
    """Yield the instructions of the Dockerfile, each with its text."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.M)
    for line in text.replace("\\\n", "").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name:
            yield name, rest.strip()


def instruction(name: str) -> list[str]:
    """Return the texts of all instructions of a name."""
    return [text for each, text in instructions() if each == name]


def command_of(text: str) -> list[str]:
    """Return the words of a command in JSON, which may stand behind options."""
    words: list[str] = json.loads(text[text.index("[") :])
    return words


def settings() -> set[str]:
    """Return the variables of all settings that the documentation has."""
    page = (ROOT / "docs" / "configuration.md").read_text().partition("\n## Settings\n")[2]
    rows = re.findall(r"^\| (`.*?) \|", page, re.M)
    names = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    of_dlt = {"runtime.dlthub_telemetry"}
    return {name.replace(".", "__").upper() for name in names | of_dlt}


def check_variables(names: Sequence[str]) -> None:
    """Fail if a variable is neither a setting nor one of the deployment."""
    of_an_api = {name for name in names if name.startswith("SOURCES__")}
    unknown = {*names} - settings() - OF_DEPLOYMENT - of_an_api
    assert not unknown, unknown


def check_command(words: Sequence[str]) -> None:
    """Fail if a command does not exist, or does not have an option that is given to it.

    Args:
        words: the program, its commands and their arguments.

    Raises:
        click.UsageError: there is no such option.
    """
    program, *arguments = words
    if program in OTHERS:
        return
    command = PROGRAMS[program]
    while True:
        parser = command.make_parser(click.Context(command, info_name=command.name))
        _, arguments, _ = parser.parse_args(arguments)
        if not isinstance(command, click.Group):
            break
        name, *arguments = arguments
        found = command.get_command(click.Context(command), name)
        assert found, f"{command.name} has no command {name}"
        command = found
    assert arguments == [], f"{command.name} takes no {arguments}"
    for option, value in pairwise(words):
        if option in ("--module-name", "-m", "--app", "-A"):
            assert find_spec(value), f"{value} is no module"
