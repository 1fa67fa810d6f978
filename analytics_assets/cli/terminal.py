"""What all commands share: the API they are about, and how they speak."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import FrameSummary, extract_tb

import click
from rich.console import Console

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, ConfigurationError, find_cause
from analytics_assets.config.settings import configured_base_url, without_credentials


def load_api() -> Api:
    """Load `api.py` alone, which needs no document to be kept yet.

    Raises:
        click.ClickException: it cannot be; the message says why.
    """
    with errors_said():
        try:
            from analytics_assets.defs.analytics.api import API
        except ConfigurationError as error:
            # a part of a policy is refused before it is known of which resource it is
            lines = [each.lineno for each in extract_tb(error.__traceback__) if _is_api(each)]
            raise ConfigurationError(f"{error} See line {lines[-1]} of api.py.") from error
    return API


def _is_api(frame: FrameSummary) -> bool:
    return frame.name == "<module>" and Path(frame.filename).name == "api.py"


@contextmanager
def errors_said() -> Iterator[None]:
    """Say in a sentence what the user can mend.

    Raises:
        click.ClickException: instead of such an error; any other goes on as it is.
    """
    try:
        yield
    except Exception as error:
        cause = find_cause(error, AnalyticsAssetsError)
        if cause is None:
            raise
        raise click.ClickException(str(cause)) from error


def where(api: Api) -> str:
    """Say where an API is, without credentials."""
    base_url = configured_base_url(api.config["client"], api.name)
    return without_credentials(base_url) if base_url else "the embedded API (no `base_url` is set)"


def say(text: str, style: str | None = None) -> None:
    """Print a line as it is, however wide the terminal."""
    Console().print(text, style=style, markup=False, soft_wrap=True)
