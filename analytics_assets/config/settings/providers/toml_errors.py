"""The errors of settings files that are no TOML."""

import tomllib
from pathlib import Path

from dlt.common.configuration.providers.toml import TomlProviderReadException

from analytics_assets.config.errors import SettingsError, find_cause


def unreadable_settings(error: BaseException) -> SettingsError | None:
    """Return the error of a settings file that is no TOML, with the place in it and no value.

    Args:
        error: the error of a look-up, with its causes.

    Returns:
        The error; None if the files are not among the causes.
    """
    cause = find_cause(error, TomlProviderReadException)
    if not isinstance(cause, TomlProviderReadException):
        return None
    broken = [f"{file} {place}" for file in cause.full_paths if (place := _fault_in(Path(file)))]
    return SettingsError(
        f"The settings file {' and '.join(broken or cause.full_paths)} cannot be read as TOML: "
        "correct it there. A text stands in quotes on one line, and a key occurs once in a section."
    )


def _fault_in(file: Path) -> str | None:
    """Return the place at which a file is no TOML; None if it is, or is not there."""
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except tomllib.TOMLDecodeError as error:
        return f"({str(error).rpartition('(')[2]}"  # what precedes it may have a secret
    except UnicodeDecodeError:
        return "(which is not in UTF-8)"
    except OSError as error:
        return f"({error.strerror})"
    return None
