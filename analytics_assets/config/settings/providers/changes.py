"""Settings that change while a process runs: their files are read anew."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.doc import BaseDocProvider
from dlt.common.configuration.providers.environ import EnvironProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.providers.vault import VaultDocProvider
from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.config.settings.providers.secret_files import SecretFiles
from analytics_assets.config.settings.providers.toml_errors import unreadable_settings

State = tuple[int, int, int]  # of a file: the time of its last change, its size, its number
NO_FILE: State = (0, 0, 0)
STARTED = time.time_ns()
FROM_FILES = (EnvironProvider, BaseDocProvider, SecretFiles)  # providers that are known to change
_read: dict[Path, State] = {}  # the states in which the files were read


def reread_settings() -> None:
    """Read the settings anew, as another process does, if their files have changed.

    dlt 1.31 reads `secrets.toml` and `config.toml` once, and keeps what a vault has answered: a
    code server would request the API with the secrets of its start. Providers
    that `api.py` has registered stay.

    Raises:
        SettingsError: a file is no TOML, or a folder that a variable names is not there, or cannot
            be read; the settings stay as they were.
    """
    global _read
    context = Container()[PluggableRunContext]
    known = context.providers.providers
    found = {file: _state(file) for file in {*_read, *_files_of(known)}}
    is_changed = found != _read if _read else max(found.values(), default=NO_FILE)[0] >= STARTED
    if not is_changed and not any(isinstance(each, VaultDocProvider) for each in known):
        _read = found
        return
    try:
        providers = ConfigProvidersContainer(context.context.initial_providers())
    except Exception as error:
        raise unreadable_settings(error) or error from error
    providers.add_extras()
    for provider in known:
        if provider.name not in providers:
            if isinstance(provider, VaultDocProvider):
                provider.clear_lookup_cache()
            providers.add_provider(provider)
    context.providers = providers
    context.context.reset_config()
    added = _files_of(providers.providers) - set(found)  # secrets, which are read later
    _read = found | {file: _state(file) for file in added}


def settings_state() -> object:
    """Return a value that is another one once a setting may have changed.

    It knows of files as of the last `reread_settings`. What a vault would answer is unknown, and
    so is what a provider would that looks up each value.
    """
    known = Container()[PluggableRunContext].providers.providers
    kept = [each for each in known if isinstance(each, FROM_FILES)]
    if len(kept) < len(known) or any(isinstance(each, VaultDocProvider) for each in known):
        return object()
    return dict(_read), dict(os.environ)


def _files_of(providers: Iterable[ConfigProvider]) -> set[Path]:
    return {Path(file).absolute() for each in providers for file in each.locations or ()}


def _state(file: Path) -> State:
    try:
        state = os.stat(file)
    except OSError:
        return NO_FILE
    return state.st_ctime_ns, state.st_size, state.st_ino
