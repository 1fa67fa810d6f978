"""What is wrong in `api.py`, said so that it can be mended."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from analytics_assets.config.errors import AnalyticsAssetsError


class ConfigurationError(AnalyticsAssetsError):
    """`api.py` says something that cannot be; raised when the definitions load."""


def refuse_unknown_keys(where: str, entry: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise a `ConfigurationError` for the first key of `entry` that is not known."""
    for key in entry:
        if key not in known:
            raise ConfigurationError(
                f"{where}: unknown key {key!r}{did_you_mean(key, known)} "
                f"Known keys are {listed(sorted(known))}."
            )


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return the known word that was probably meant, as the end of a sentence."""
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"; did you mean `{close[0]}`?" if close else "."


def listed(names: Collection[str]) -> str:
    """Return names as they stand in a message."""
    return ", ".join(f"`{name}`" for name in names) or "none"
