"""Output of the commands: lines, errors, and the location of an API."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.config.settings.client import describe_location
from analytics_assets.config.settings.look_up import unreadable_settings
from analytics_assets.redaction.redactor import redact


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
        raise click.ClickException(redact(str(cause))) from None


def location(api: Api) -> str:
    """Return the location of an API without credentials."""
    return describe_location(api.config["client"], api.name)


def echo(text: str, style: str | None = None) -> None:
    """Print a line without secrets, unwrapped, whatever the width of the terminal."""
    Console().print(redact(text), style=style, markup=False, soft_wrap=True)
