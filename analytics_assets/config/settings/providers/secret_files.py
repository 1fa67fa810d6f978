"""Files of one setting each, as Kubernetes, Docker and Compose mount secrets."""

from pathlib import Path
from typing import Any

from dlt.common.configuration.providers.provider import ConfigProvider

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.providers.folders import named_folder
from analytics_assets.redaction.configuration import learn_secrets

FOLDER_VARIABLE = "SECRETS_DIR"
DEFAULT_FOLDER = "/run/secrets"


def secrets_folder() -> Path:
    """Return the folder of the files: `SECRETS_DIR`, or `/run/secrets`, which need not exist.

    Raises:
        UnreachableFolderError: that of `SECRETS_DIR` is not there.
    """
    return named_folder(FOLDER_VARIABLE) or Path(DEFAULT_FOLDER)


def variable_name(*parts: str) -> str:
    """Return the name that parts of a setting's name, or a whole one, have as a variable.

    Example:
        >>> variable_name("sources", "shop", "client_id"), variable_name("sources.shop.client-id")
        ('SOURCES__SHOP__CLIENT_ID', 'SOURCES__SHOP__CLIENT_ID')
    """
    return "__".join(parts).replace(".", "__").replace("-", "_").upper()


class SecretFiles(ConfigProvider):
    """Settings from a folder with a file for each.

    A file has the name of the environment variable in any case, or that of the setting with dots or
    hyphens: `SOURCES__SHOP__CLIENT_ID`, `sources.shop.client_id`, `sources--shop--client-id`. Its
    content is the value, without the line's end. It may be a folder with one such file of the same
    name. Hidden files, such as those by which Kubernetes changes a mounted secret at once, and all
    others are not read; the others may be secrets of other programs.

    A file is read when it is looked up first: another value is seen by another provider.

    Args:
        folder: the folder; it need not exist.
    """

    name = "Secret files"
    supports_secrets = True
    supports_sections = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._values: dict[str, str] = {}
        try:
            found = sorted(self._folder.iterdir())
        except FileNotFoundError:
            found = []
        except OSError as error:
            raise _unreadable(self._folder, error.strerror or "", "folder of secrets") from None
        self._files = {
            variable_name(path.name): path / path.name if path.is_dir() else path
            for path in found
            if not path.name.startswith(".")
        }

    @property
    def is_empty(self) -> bool:
        """True without any file."""
        return not self._files

    @property
    def locations(self) -> list[str]:
        """The folder and its files, which change as their settings do."""
        return [str(self._folder), *map(str, self._files.values())]

    @property
    def present_locations(self) -> list[str]:
        """The folder, if it has files."""
        return [str(self._folder)] if self._files else []

    def get_value(
        self, key: str, hint: Any, pipeline_name: str | None, *sections: str
    ) -> tuple[str | None, str]:
        """Return the text of a setting's file, None without one, and the setting's name.

        Raises:
            SettingsError: the file cannot be read.
        """
        parts = [part for part in (pipeline_name, *sections, key) if part]
        return self._value(variable_name(*parts)), ".".join(parts)

    def get_value_location(self, key: str, pipeline_name: str | None, *sections: str) -> str:
        """Return the path of a setting's file."""
        parts = [part for part in (pipeline_name, *sections, key) if part]
        return str(self._files[variable_name(*parts)])

    def _value(self, name: str) -> str | None:
        if name not in self._files:
            return None
        if name not in self._values:
            file = self._files[name]
            try:
                text = file.read_text(encoding="utf-8-sig")  # Windows puts a mark first
            except UnicodeDecodeError:
                raise _unreadable(file, "it is not in UTF-8") from None
            except OSError as error:
                raise _unreadable(file, error.strerror or "") from None
            self._values[name] = text.rstrip("\r\n")
            learn_secrets(self._values[name], name.rpartition("__")[2])
        return self._values[name]


def _unreadable(path: Path, reason: str, what: str = "secret in") -> SettingsError:
    return SettingsError(
        f"The {what} {path} cannot be read: {reason}. Mount it so that the user of the process "
        f"can read it, or name another folder by the environment variable {FOLDER_VARIABLE}."
    )
