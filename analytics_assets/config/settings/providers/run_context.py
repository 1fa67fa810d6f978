"""The places of settings in all processes, as a run context of dlt.

https://dlthub.com/docs/general-usage/credentials/setup
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlt.common import known_env
from dlt.common.configuration import plugins
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.doc import CustomLoaderDocProvider
from dlt.common.configuration.providers.environ import EnvironProvider
from dlt.common.configuration.providers.provider import ConfigProvider, get_key_name
from dlt.common.configuration.providers.toml import CONFIG_TOML, SECRETS_TOML
from dlt.common.configuration.specs.pluggable_run_context import (
    PluggableRunContext,
    RunContextBase,
)
from dlt.common.runtime.run_context import DOT_DLT, RunContext

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.providers.folders import named_folder
from analytics_assets.config.settings.providers.secret_files import SecretFiles, secrets_folder

PROJECT = Path(__file__).resolve().parents[4]  # the folder with the package, such as a clone
NAMES = (SECRETS_TOML, CONFIG_TOML)
DEFAULTS = "Defaults of analytics_assets"
# of settings that are dlt's own, whose defaults are others there
OF_DLT: dict[str, Any] = {
    "load": {"truncate_staging_dataset": True},  # no copy of the rows stays in a staging dataset
    "runtime": {"dlthub_telemetry": False},
}
# files with states of a pipeline that are kept: a load lists those of all, and reads the newest
MAX_STATE_FILES = 10
OF_DESTINATIONS = {"destination": {"filesystem": {"max_state_files": MAX_STATE_FILES}}}
# variables of each machine; without a section they are no settings, such as a parameter `user`
OF_MACHINE = frozenset(
    ("HOME", "HOST", "HOSTNAME", "LANG", "LANGUAGE", "LOGNAME", "SHELL", "TERM", "TZ", "USER")
)


class Environment(EnvironProvider):
    """The environment alone, without what is there on each machine.

    dlt 1.31 reads files in `/run/secrets` here, too, and writes them into the environment, where
    they stay when the file changes. Those files are `SecretFiles`.
    """

    def get_value(
        self, key: str, hint: Any, pipeline_name: str | None, *sections: str
    ) -> tuple[str | None, str]:
        """Return the value of a variable, None without it, and its name."""
        parts = (pipeline_name, *sections) if pipeline_name else sections
        name = get_key_name(key, "__", *parts).upper()
        return None if name in OF_MACHINE else os.environ.get(name), name


class ProjectRunContext(RunContext):
    """dlt's run context, with secret files and the project's own folder among the places."""

    @property
    def settings_dir(self) -> str:
        """The folder `.dlt`.

        It is that of `DLT_PROJECT_DIR`, or else of the working folder, or else, if there is no file
        of settings in that, of the project's own folder.
        """
        own = super().settings_dir
        folders = [own, own if known_env.DLT_PROJECT_DIR in os.environ else str(PROJECT / DOT_DLT)]
        return next((each for each in folders if any(_files_in(each))), own)

    @property
    def global_dir(self) -> str:
        """The folder of the user, `~/.dlt`, or one for temporary files if that is read-only.

        Raises:
            SettingsError: there is none for temporary files.
        """
        try:
            tempfile.gettempdir()  # dlt needs it in each load, too
        except FileNotFoundError as error:  # with the folders that were tried
            raise SettingsError(
                f"There is no folder for temporary files: {error.strerror}. Name one that this "
                "user can write by the environment variable TMPDIR."
            ) from None
        return super().global_dir

    def initial_providers(self) -> list[ConfigProvider]:
        """Return the providers: what stands in the first of them counts.

        Raises:
            SettingsError: a folder that a variable names is not there, or cannot be read.
        """
        named_folder(known_env.DLT_PROJECT_DIR)  # dlt 1.31 takes one that is not there for empty
        [_, *files] = super().initial_providers()
        known = OF_DLT | OF_DESTINATIONS
        defaults = CustomLoaderDocProvider(DEFAULTS, lambda: known, False, locations=[])
        return [Environment(), SecretFiles(secrets_folder()), *files, defaults]


def _files_in(folder: str) -> Iterator[Path]:
    """Yield the files of settings in a folder `.dlt`, which also has files of processes."""
    for name in NAMES:
        if (file := Path(folder, name)).exists():
            yield file


@plugins.hookimpl(specname="plug_run_context", wrapper=True)
def _own_run_context(run_dir: str | None) -> Any:
    """Put this project's run context in the place of dlt's, and not of another plugin's."""
    found: RunContextBase = yield
    return ProjectRunContext(run_dir) if type(found) is RunContext else found


def plug_run_context() -> None:
    """Add the places of this project to those in which dlt looks settings up, in this process."""
    known, module = plugins.manager(), sys.modules[__name__]
    if known.is_registered(module):
        return
    known.register(module, name="analytics_assets")
    container = Container()
    if PluggableRunContext in container:  # something has looked a setting up before
        context = container[PluggableRunContext]
        before = context.providers.providers
        context.reload()
        for provider in before:
            if provider.name not in context.providers:
                context.providers.add_provider(provider)
