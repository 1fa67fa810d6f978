"""Errors of the user's files, with the file and the line first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError, ConfigurationError, find_cause
from analytics_assets.config.settings.providers.toml_errors import unreadable_settings
from analytics_assets.orchestration.api_file.files import MODULE, frames_of, is_users, place
from analytics_assets.orchestration.api_file.lines import ApiFile
from analytics_assets.orchestration.api_file.python_errors import line_without_comma, reason, remedy
from analytics_assets.redaction.errors import redacted


class InvalidDefinitionsError(ConfigurationError, dg.DagsterInvalidDefinitionError):
    """An error of the configuration in the form that Dagster shows as it is.

    Dagster puts any other one behind its own, which fills the dialog of the UI by itself.
    """


@contextmanager
def errors_for_dagster() -> Iterator[None]:
    """Raise an error that the user can correct as one that Dagster shows first, and alone.

    Raises:
        InvalidDefinitionsError: in place of it; others pass unchanged.
    """
    try:
        yield
    except AnalyticsAssetsError as error:
        raise InvalidDefinitionsError(str(error)) from None


@contextmanager
def errors_located(file: str | None = None) -> Iterator[None]:
    """Put file and line before an error of a user's file, or of a settings file.

    Args:
        file: the `api.py` that errors are about which none of its own frames shows.

    Raises:
        ConfigurationError: in place of an error in the file, be it one of its syntax or one that
            it raises.
        SettingsError: a settings file is no TOML.
        AnalyticsAssetsError: in place of the error of Dagster's loader that it caused; others pass
            unchanged.
    """
    try:
        yield
    except Exception as error:
        located = unreadable_settings(error) or _in_syntax(error) or _in_entry(error, file)
        if known := located or find_cause(error, AnalyticsAssetsError):
            raise known from None
        if in_module := _in_module(error):
            raise in_module from redacted(error)
        raise


def user_error(error: BaseException) -> str | None:
    """Return a sentence about an error that a function of the user raised, with its line.

    Args:
        error: the error of a load, with its causes.

    Returns:
        The sentence; None if no function of the user's files raised one of them.
    """
    current: BaseException | None = error
    found = None
    while current is not None:
        frames = frames_of(current)
        if frames and not isinstance(current, AnalyticsAssetsError):
            found = f"{place(frames[-1].filename, frames[-1].lineno)}: {reason(current)}."
        current = current.__cause__ or current.__context__
    return found


def _in_syntax(error: BaseException) -> ConfigurationError | None:
    syntax = find_cause(error, SyntaxError)
    if syntax is None or not is_users(str(syntax.filename)):
        return None
    file, line = str(syntax.filename), syntax.lineno or 1
    if comma := line_without_comma(Path(file).read_text(encoding="utf-8"), line):
        return ConfigurationError(f"{place(file, comma)}: a comma is missing at the end. Add it.")
    said = str(syntax.msg).rstrip("?")
    return ConfigurationError(f"{place(file, line)}: {said}. Correct the syntax.")


def _in_entry(error: BaseException, known: str | None) -> ConfigurationError | None:
    refused = find_cause(error, ConfigurationError)
    frames = frames_of(refused) if refused else []
    file = frames[-1].filename if frames else known
    if refused is None or file is None:
        return None
    text = ApiFile.read(file)
    line = text.line_of(str(refused))
    if line is None and frames and frames[-1].name == MODULE:
        line = text.line_of_argument(str(refused), frames[-1].lineno or 1)
    return ConfigurationError(f"{place(file, line)}: {refused}") if line else None


def _in_module(error: BaseException) -> ConfigurationError | None:
    """Return the error of a statement of the file; what it calls later is not the user's."""
    current: BaseException | None = error
    while current is not None:
        frames = [each for each in frames_of(current) if each.name == MODULE]
        if frames:
            file, line = frames[-1].filename, frames[-1].lineno or 1
            text = ApiFile.read(file)
            line = text.line_of_argument(str(current), line)
            return ConfigurationError(f"{place(file, line)}: {reason(current)}{remedy(current)}")
        current = current.__cause__ or current.__context__
    return None
