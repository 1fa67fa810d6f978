"""Recipes: APIs of vendors, copied into `defs/`."""

import re
import shutil
from pathlib import Path

from analytics_assets import recipes
from analytics_assets.cli.commands.new.folder import new_folder
from analytics_assets.config.errors import ConfigurationError, did_you_mean, listed

FILE = "api.py"
README = "README.md"


def known_recipes() -> list[str]:
    """Return the names of the recipes."""
    return sorted(
        each.name
        for place in recipes.__path__
        for each in Path(place).iterdir()
        if (each / FILE).is_file()
    )


def copy_recipe(vendor: str, name: str) -> str:
    """Copy a recipe into `defs/`, under a name of its own.

    Args:
        vendor: the recipe.
        name: the API's name.

    Returns:
        The recipe's README.

    Raises:
        ConfigurationError: there is no such recipe, or the folder is there.
    """
    known = known_recipes()
    if vendor not in known:
        raise ConfigurationError(
            f"There is no recipe `{vendor}`{did_you_mean(vendor, known)} Recipes are "
            f"{listed(known)}. For others: `analytics-assets new {name} --openapi FILE-OR-URL`."
        )
    source = next(
        Path(place) / vendor for place in recipes.__path__ if (Path(place) / vendor).is_dir()
    )
    with new_folder(name) as folder:
        ignored = shutil.ignore_patterns("__pycache__", README)
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=ignored)
        file = folder / FILE
        file.write_text(renamed(file.read_text(), vendor, name))
    readme = source / README
    return readme.read_text() if readme.is_file() else ""


def renamed(text: str, vendor: str, name: str) -> str:
    """Return the text of an `api.py` with another name for its API."""
    return re.sub(rf'(\bname=)"{re.escape(vendor)}"', rf'\g<1>"{name}"', text, count=1)
