"""Output of the commands: lines, tables, errors, and the location of an API."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.config.settings.client import describe_location
from analytics_assets.config.settings.providers.toml_errors import unreadable_settings
from analytics_assets.config.text.excerpts import printable
from analytics_assets.redaction.redactor import redact

WIDEST = 500  # characters of a table in a file


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Turn an error that the user can correct into one sentence without a traceback.

    Raises:
        click.ClickException: in place of such an error; any other is raised unchanged.
    """
    try:
        yield
    except Exception as error:
        cause = find_cause(error, AnalyticsAssetsError) or unreadable_settings(error)
        if cause is None:
            raise
        # without its causes, whose tracebacks may have a secret
        # a message may quote a document or an answer, and these steer no terminal
        raise click.ClickException(printable(redact(str(cause)))) from None


def location(api: Api) -> str:
    """Return the location of an API without credentials."""
    return describe_location(api.config["client"], api.name)


@cache
def console() -> Console:
    """Return the console of all output, which a live display shares."""
    return Console(highlight=False)


def is_terminal() -> bool:
    """Return True if the output goes to a terminal on which a line can be drawn again.

    `FORCE_COLOR`, which CI services set, makes a pipe a terminal for rich.
    """
    return console().file.isatty() and not console().is_dumb_terminal


def echo(text: str, style: str | None = None) -> None:
    """Print a line without secrets; it is wrapped by words on a terminal alone."""
    console().print(redact(text), style=style, markup=False, soft_wrap=not is_terminal())


def echo_table(table: Table) -> None:
    """Print a table, as wide as the terminal; as wide as it needs to be where there is none.

    In a terminal that is narrower than its numbers and its shortest names, its lines are wrapped by
    that: a number that is cut is another number.
    """
    needed = Measurement.get(console(), console().options.update(width=WIDEST), table).minimum
    width = max(console().width, needed) if is_terminal() else WIDEST
    # `print(width=...)` of rich is at most that of its console
    Console(file=console().file, width=width, highlight=False).print(table)
