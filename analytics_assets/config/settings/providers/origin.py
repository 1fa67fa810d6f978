"""The place of a setting: a variable, a file, or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import dlt
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.environ import EnvironProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.providers.toml import SettingsTomlProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.typing import TSecretStrValue

from analytics_assets.config.settings.providers.run_context import DEFAULTS
from analytics_assets.config.settings.providers.secret_files import SecretFiles

OF_ALL = "global:"  # the mark of dlt 1.31 for a file in the user's folder of settings


class Origin(NamedTuple):
    """The place of a setting that something sets.

    Args:
        name: the setting with the sections in which it stands: `sources.shop.base_url`.
        place: the environment variable, the file, or the name of a secret store.
        is_empty: True if its value is empty, which counts as none.
    """

    name: str
    place: str
    is_empty: bool


def origin_of(name: str, sections: Sequence[str] = (), section: str = "") -> Origin | None:
    """Return the place from which dlt takes a setting; None for its default.

    The first provider that has it counts, and there the longest of its names.

    Args:
        name: the setting, without sections.
        sections: those that may stand before it, from the outermost; it may have fewer of them.
        section: the one that always stands before it, behind these.
    """
    for provider in Container()[PluggableRunContext].providers.providers:
        if provider.is_empty or provider.name == DEFAULTS:
            continue
        for depth in range(len(sections), -1, -1):
            path = (*sections[:depth], *([section] if section else []))
            value, found = provider.get_value(name, TSecretStrValue, None, *path)
            if value is not None:
                place = _place(provider, found, name, path)
                return Origin(".".join((*path, name)), place, is_empty=value == "")
    return None


def _place(provider: ConfigProvider, found: str, name: str, path: tuple[str, ...]) -> str:
    if isinstance(provider, EnvironProvider):
        return f"environment variable {found}"
    location = provider.get_value_location(name, None, *path)
    if isinstance(provider, SecretFiles):
        return location
    if isinstance(provider, SettingsTomlProvider):
        context = dlt.current.run_context()
        is_of_all = location.startswith(OF_ALL)
        folder = context.global_dir if is_of_all else context.settings_dir
        return str(Path(folder).absolute() / location.removeprefix(OF_ALL))
    return location or provider.name
