"""The folder of a new API: it is there as a whole, or not at all."""

import keyword
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from analytics_assets import defs
from analytics_assets.config.api import NAME, naming_rule
from analytics_assets.config.errors import ConfigurationError

UNFINISHED = ".new-"  # the beginning of the name of a folder that is being written


@contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """Make the folder of an API in `defs/`.

    Args:
        name: the API's name.

    Yields:
        An empty folder beside it, which takes its place once the context ends without an error.
    """
    target = folder_of(name)
    refuse_existing(name)
    try:
        written = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=target.parent))
    except OSError as error:
        raise ConfigurationError(
            f"{target} cannot be written: {error.strerror or error}. Install the project from its "
            "clone (`make materialize` does), so that `defs/` is yours."
        ) from error
    try:
        yield written
        written.chmod(0o755)  # that of a temporary folder is for its owner alone
        (written / "__init__.py").write_text(f'"""The {name} API."""\n')
        refuse_existing(name)
        written.rename(target)
    finally:
        shutil.rmtree(written, ignore_errors=True)


def folder_of(name: str) -> Path:
    """Return the folder of an API in `defs/`."""
    return Path(next(iter(defs.__path__))) / name


def refuse_existing(name: str) -> None:
    """Refuse the name of a folder that is there.

    Raises:
        ConfigurationError: it is; the message lists what to do.
    """
    folder = folder_of(name)
    if folder.exists():
        raise ConfigurationError(
            f"{shown(folder)} is already there, and stays as it is. Choose another name; or delete "
            f"that folder first; or, to take over a new document into it, run `analytics-assets "
            f"contract {name}`."
        )


def refuse_bad_name(name: str) -> None:
    """Refuse a name that no API can have.

    Raises:
        click.BadParameter: it cannot be used; the message suggests another.
    """
    if not NAME.fullmatch(name):
        raise click.BadParameter(f"{name!r}: {naming_rule(name)}")
    if keyword.iskeyword(name) or name in ("test", "tests"):
        raise click.BadParameter(f"{name!r} is a word of Python; call it '{name}_api'.")


def shown(path: Path) -> str:
    """Return a path as short as it can be, seen from the working folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
